import { readFile } from 'node:fs/promises';
import { UsageError } from '../../core/usage-error.js';

/** The longest file that is read, bytes. */
const MOST_BYTES = 1024 * 1024;

/**
 * Reads a YAML file. What parses YAML is loaded only here.
 *
 * @param option the option that names the file, for the error message
 * @throws UsageError when there is no such file or it is not YAML
 */
export async function readYamlFile(path: string, option: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    throw new UsageError(`${option}: cannot read ${path} (${code}); allowed: a readable file`);
  }
  if (Buffer.byteLength(text) > MOST_BYTES)
    throw new UsageError(`${option}: ${path} is too long; allowed: ${MOST_BYTES} bytes`);
  const { parse, YAMLParseError } = await import('yaml');
  try {
    return parse(text, { prettyErrors: true, logLevel: 'error' }) as unknown;
  } catch (error) {
    if (!(error instanceof YAMLParseError) && !(error instanceof ReferenceError)) throw error;
    // The lines after the first quote the file, which may have secrets.
    const [problem = ''] = error.message.split('\n');
    throw new UsageError(`${option}: ${path} is not YAML: ${problem.replace(/:$/, '')}`);
  }
}
