/** Colours of SGR on a light and on a dark page. Contrast with the background is at least 4.5. */
const COLOURS = {
  text: ['#1f2328', '#e6edf3'],
  dim: ['#59636e', '#9198a1'],
  red: ['#c1121f', '#ff7b72'],
  green: ['#116329', '#7ee787'],
  yellow: ['#7d4e00', '#e3b341'],
  blue: ['#0550ae', '#79c0ff'],
  cyan: ['#0a6069', '#76e3ea'],
} as const;
const BACKGROUND = ['#f6f8fa', '#0d1117'] as const;
const BORDER = ['#d1d9e0', '#3d444d'] as const;

type Colour = keyof typeof COLOURS;

const OF_SGR: Readonly<Record<string, Colour>> = {
  31: 'red',
  32: 'green',
  33: 'yellow',
  34: 'blue',
  36: 'cyan',
  90: 'dim',
};

/** Pixels: the cell of a character, and the margin around the screen. */
const CELL = { width: 8, height: 19 };
const MARGIN = 14;

/** Text of one look, without a space at either end. */
interface Run {
  readonly colour: Colour;
  readonly bold: boolean;
  readonly row: number;
  readonly column: number;
  readonly text: string;
}

/** The runs of a screen as tmux captures it: text with SGR sequences. */
function runsOf(screen: string): Run[] {
  let look = { colour: 'text' as Colour, isDim: false, bold: false };
  const apply = (code: string): void => {
    if (code === '' || code === '0') look = { colour: 'text', isDim: false, bold: false };
    else if (code === '1') look.bold = true;
    else if (code === '2') look.isDim = true;
    else if (code === '22') look = { ...look, isDim: false, bold: false };
    else if (code === '39') look.colour = 'text';
    else if (code in OF_SGR) look.colour = OF_SGR[code] ?? 'text';
    else if (code !== '49') throw new Error(`no picture has the SGR code ${code}`);
  };
  return screen.split('\n').flatMap((line, row) => {
    let column = 0;
    return line.split(/\x1b\[([\d;]*)m/).flatMap((part, index) => {
      if (index % 2 === 1) {
        part.split(';').forEach(apply);
        return [];
      }
      const start = column;
      column += part.length;
      const { colour, isDim, bold } = look;
      return [...part.matchAll(/\S+(?: \S+)*/g)].map((match) => ({
        colour: isDim ? ('dim' as const) : colour,
        bold,
        row,
        column: start + match.index,
        text: match[0],
      }));
    });
  });
}

const escape = (text: string): string =>
  text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');

function styleFor(theme: 0 | 1): string {
  const texts = Object.entries(COLOURS).map(([name, shades]) => `.${name}{fill:${shades[theme]}}`);
  return `rect{fill:${BACKGROUND[theme]};stroke:${BORDER[theme]}}${texts.join('')}`;
}

/**
 * An SVG of a terminal of this many columns. It follows the reader's light or dark theme. Every run
 * of text has its place and its length, so that columns are straight in any font.
 */
export function pictureOf(title: string, screen: string, columns: number): string {
  const runs = runsOf(screen);
  const width = columns * CELL.width + 2 * MARGIN;
  const height = screen.split('\n').length * CELL.height + 2 * MARGIN;
  const spans = runs.map(({ colour, bold, row, column, text }) => {
    const place = `x="${MARGIN + column * CELL.width}" y="${MARGIN + row * CELL.height + 14}"`;
    const length = `textLength="${text.length * CELL.width}" lengthAdjust="spacingAndGlyphs"`;
    const look = `class="${colour}"${bold ? ' font-weight="bold"' : ''}`;
    return `<text ${place} ${length} ${look}>${escape(text)}</text>`;
  });
  const size = `width="${width}" height="${height}"`;
  const fonts = "ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace";
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" ${size} viewBox="0 0 ${width} ${height}" role="img">`,
    `<title>${escape(title)}</title>`,
    `<style>${styleFor(0)}@media(prefers-color-scheme:dark){${styleFor(1)}}</style>`,
    `<rect x=".5" y=".5" width="${width - 1}" height="${height - 1}" rx="8"/>`,
    `<g font-family="${fonts}" font-size="13.3">`,
    ...spans,
    '</g></svg>\n',
  ].join('\n');
}

/** The checks of a diagnosis, which come in any order; a group's title is before its first one. */
function sortChecks(checks: string): string {
  const untitled = checks.replace(/(?<=\ntext: )(?:Name|Address|Machine|Other ports) /g, '');
  return untitled
    .split(/(?=\n\w+: [✔✖–])/)
    .sort()
    .join('');
}

/**
 * What a picture says and its frame, without what differs from run to run: times, figures of a
 * series, how often a line is repeated, the order of checks, and where lines are wrapped.
 */
export function steadyText(svg: string): string {
  const frame = svg.match(/width="\d+"|<title>.*|<style>.*/g)?.slice(0, 3) ?? [];
  const spans = [...svg.matchAll(/class="(\w+)"[^>]*>([^<]*)<\/text>/g)];
  let last = '';
  const text = spans.map(([, colour = '', part = '']) => {
    const mark = colour === last ? ' ' : `\n${colour}: `;
    last = colour;
    return `${mark}${part}`;
  });
  return [...frame, ...text]
    .join('')
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '#')
    .replace(/\d+(\.\d+)? (?:milliseconds|ms|s)\b/g, '#')
    .replace(/\d+(\.\d+)?%/g, '#%')
    .replace(/(min|mean|max|deviation|jitter|p\d\d) \d+(\.\d+)?/g, '$1 #')
    .replace(/\d+ (?=probe|open|closed|filtered|failed)/g, '# ')
    .replace(/×\d+/g, '×#')
    .replace(/[▁▂▃▄▅▆▇█]+( [▁▂▃▄▅▆▇█]+)*/g, '#')
    .replace(/(\n\w+: [✔✖–]\ntext: .*)+/g, sortChecks)
    .replace(/(.{20,}|\n.+\n.{20,})\1+/g, '$1');
}
