import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { OutputFile } from '../../src/cli/output/output-file.js';
import { renderMetrics } from '../../src/report/formats/prometheus.js';
import { startDaemon, temporaryFolder } from '../support/daemon.js';
import { get } from '../support/exporter.js';
import { freePort, listen, SOON } from '../support/listeners.js';
import { portping } from '../support/portping.js';
import { closedOutcome, eventOf, openOutcome, reportOf } from '../support/reports.js';
import { describeWith } from '../support/tools.js';

const METRIC = /^portping_success\{target="[^"]+"\} [01]$/gm;

describeWith('prometheus-node-exporter', 'the node exporter', () => {
  it('serves the file of portping, always complete, during 1,000 rewrites', async () => {
    const folder = await temporaryFolder();
    const port = await freePort();
    startDaemon(
      [
        'prometheus-node-exporter',
        '--collector.disable-defaults',
        '--collector.textfile',
        `--collector.textfile.directory=${folder}`,
        `--web.listen-address=127.0.0.1:${port}`,
      ],
      folder,
    );
    const read = async (): Promise<string> => (await get(`http://127.0.0.1:${port}/metrics`)).body;
    const path = join(folder, 'portping.prom');

    const listener = await listen();
    expect(
      await portping([
        '-o',
        'prometheus',
        '--output-file',
        path,
        `127.0.0.1:${listener.port}`,
        `127.0.0.1:${await freePort()}`,
      ]),
    ).toMatchObject({ stdout: '', stderr: '', exitCode: 1 });
    await expect
      .poll(() => read().catch(() => ''), SOON)
      .toMatch(
        new RegExp(`^portping_success\\{target="127\\.0\\.0\\.1:${listener.port}"\\} 1$`, 'm'),
      );
    expect(await read()).toContain('node_textfile_scrape_error 0');

    // Files of several blocks, with 200 and 300 targets in turn.
    const contents = [200, 300].map((count) =>
      renderMetrics(
        Array.from({ length: count }, (_, index) =>
          eventOf(
            reportOf(index % 2 === 0 ? openOutcome() : closedOutcome(), {
              target: { host: `host-${index}.example.com`, port: 25 },
            }),
          ),
        ),
      ),
    );
    const replace = async (text: string, slowly: boolean): Promise<void> => {
      const file = new OutputFile(path);
      for (let from = 0; from < text.length; from += 4096) {
        file.write(text.slice(from, from + 4096));
        if (slowly) await new Promise((resolve) => setImmediate(resolve)); // leave it half-written
      }
      file.commit();
      await new Promise((resolve) => setImmediate(resolve));
    };
    await replace(contents[0] ?? '', false);
    let writing = true;
    let reads = 0;
    const readers = Promise.all(
      [
        async () => {
          const served = await read();
          expect(served).toContain('node_textfile_scrape_error 0');
          return served.match(METRIC)?.length;
        },
        async () => {
          const text = await readFile(path, 'utf8');
          if (text !== contents[0] && text !== contents[1])
            throw new Error(`half a file: ${text.length} characters`);
          return text.match(METRIC)?.length;
        },
      ].map(async (readOnce) => {
        while (writing) {
          expect([200, 300]).toContain(await readOnce());
          reads += 1;
        }
      }),
    );
    readers.catch(() => {}); // awaited below
    for (let round = 1; round <= 1000 || reads <= 10; round += 1)
      await replace(contents[round % 2] ?? '', round % 10 === 0);
    writing = false;
    await readers;
    expect(await readdir(folder)).toEqual(['portping.prom']);
  });
});
