import { BUILT_IN_MODULES, describeModule, type Modules, readModules } from './modules.js';
import { readYamlFile } from './yaml-file.js';

/** The modules of `--config.file`, which may be loaded again while the exporter runs. */
export class Configuration {
  readonly #file: string | undefined;
  #modules: Modules = BUILT_IN_MODULES;

  /** @param file the path; undefined for only the built-in modules */
  constructor(file?: string) {
    this.#file = file;
  }

  /** The modules that were loaded last. */
  get modules(): Modules {
    return this.#modules;
  }

  /**
   * Reads the file. If it is wrong, the modules stay as they are.
   *
   * @throws UsageError naming what is wrong
   */
  async load(): Promise<void> {
    if (this.#file !== undefined)
      this.#modules = readModules(await readYamlFile(this.#file, '--config.file'));
  }

  /** The modules as the file would have them, in YAML. */
  async describe(): Promise<string> {
    const { stringify } = await import('yaml');
    const modules = [...this.#modules].map(([name, module]) => [name, describeModule(module)]);
    return stringify({ modules: Object.fromEntries(modules) as object });
  }
}
