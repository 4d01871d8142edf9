import type { Shell } from '../options/option-table.js';
import { type CompletionOption, completionOptions } from './completion-words.js';
import { fishScript } from './fish.js';
import { bashScript, zshScript } from './posix-shells.js';
import { powershellScript } from './powershell.js';

const SCRIPTS: Readonly<Record<Shell, (options: readonly CompletionOption[]) => string>> = {
  bash: bashScript,
  zsh: zshScript,
  fish: fishScript,
  powershell: powershellScript,
};

/** A script that completes command lines of portping in a shell. */
export const completionScript = (shell: Shell): string => SCRIPTS[shell](completionOptions());
