import { stat } from 'node:fs/promises';
import { UsageError } from '../../core/usage-error.js';
import { readYamlFile } from '../config/yaml-file.js';
import { readWebConfig, type WebConfig } from './web-config.js';

/** How often the files are looked at, milliseconds. */
const LOOK_MS = 1000;

const NO_CONFIG: WebConfig = { tls: null, users: new Map() };

/** What shows that a file was changed or replaced. */
async function stampOf(path: string): Promise<string> {
  try {
    const { mtimeNs, ino, size } = await stat(path, { bigint: true });
    return `${mtimeNs} ${ino} ${size}`;
  } catch {
    return 'missing';
  }
}

/** The web configuration of `--web.config.file`, which is loaded again when a file changes. */
export class WebSettings {
  readonly #file: string | undefined;
  #config = NO_CONFIG;
  #isLoaded = false;
  /** What each file was like before it was read: a change while it was read counts, too. */
  readonly #stamps = new Map<string, string>();
  #onChange: (config: WebConfig) => void = () => {};

  /** @param file the path; undefined for plain HTTP and everyone */
  constructor(file?: string) {
    this.#file = file;
  }

  /** The configuration that was loaded last. */
  get config(): WebConfig {
    return this.#config;
  }

  /** Sets what to do when it was loaded again. */
  onChange(callback: (config: WebConfig) => void): void {
    this.#onChange = callback;
  }

  /**
   * Reads the files. If one is wrong, the configuration stays as it is.
   *
   * @throws UsageError naming what is wrong
   */
  async load(): Promise<void> {
    const file = this.#file;
    if (file === undefined) return;
    this.#stamps.clear();
    const beforeFile = async (path: string): Promise<void> => {
      this.#stamps.set(path, await stampOf(path));
    };
    await beforeFile(file);
    const content = await readYamlFile(file, '--web.config.file');
    const config = await readWebConfig(content, file, beforeFile);
    if (this.#isLoaded && (config.tls === null) !== (this.#config.tls === null))
      throw new UsageError(
        '--web.config.file.tls_server_config: TLS cannot be switched on or off while the ' +
          'exporter runs; allowed: a restart',
      );
    this.#isLoaded = true;
    this.#config = config;
    this.#onChange(config);
  }

  /** Calls back whenever a file has changed since it was read. */
  watch(onChange: () => Promise<void>): void {
    if (this.#file === undefined) return;
    const look = async (): Promise<void> => {
      if (await this.#hasChanged()) await onChange();
      setTimeout(() => void look(), LOOK_MS).unref();
    };
    void look();
  }

  async #hasChanged(): Promise<boolean> {
    for (const [path, stamp] of this.#stamps) if ((await stampOf(path)) !== stamp) return true;
    return false;
  }
}
