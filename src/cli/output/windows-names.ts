import { win32 } from 'node:path';

/** Names that Windows takes for devices, in every folder and with any ending. */
const DEVICE = /^(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[1-9¹²³])(?=[ .:]|$)/i;

/**
 * Why Windows would write no file under this path: it names a device or a data stream, or nothing.
 *
 * @returns a sentence after the path, in words; undefined if it names a file
 */
export function windowsNameProblem(path: string): string | undefined {
  const [, name = ''] = /([^\\/]*)$/.exec(path.replace(/^[a-z]:/i, '')) ?? [];
  const [device] = DEVICE.exec(name) ?? [];
  if (device !== undefined) return `is the device ${device.toUpperCase()} of Windows`;
  if (/^[\\/]{2}\.[\\/]/.test(win32.normalize(path))) return 'is a device of Windows';
  const [sign] = /[<>"|?*]/.exec(name) ?? [];
  if (sign !== undefined) return `has a ${sign}, which Windows allows in no name`;
  return name.includes(':') ? `is a data stream of the file ${name.split(':')[0]}` : undefined;
}
