/** What other runtimes report falsely, by the key that they add to `process.versions`. */
const FALSE_REPORTS = {
  // A missing route, a firewall's answer and a local fault: all are ECONNREFUSED.
  bun: ['Bun', 'reports other failures as "connection refused"'],
  // Its messages lack `- Local (…)`, which Node adds when a call failed here.
  deno: ['Deno', 'hides which failures arise on this machine'],
} as const;

/**
 * Why portping refuses to run in this runtime, in one line: it could not name true causes.
 *
 * @param versions of the runtime, as in `process.versions`
 * @returns undefined in Node
 */
export function runtimeRefusal(
  versions: Readonly<Record<string, string | undefined>> = process.versions,
): string | undefined {
  for (const [key, [name, report]] of Object.entries(FALSE_REPORTS)) {
    const version = versions[key];
    if (version !== undefined)
      return `${name} ${version} ${report}; use Node.js 20.19 or later, for example: npx portping`;
  }
  return undefined;
}
