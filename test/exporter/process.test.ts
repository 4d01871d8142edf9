import { once } from 'node:events';
import { Agent } from 'node:http';
import { connect } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { get, startExporter, untilInFlight } from '../support/exporter.js';
import { silentPort, SOON } from '../support/listeners.js';

describe('a log without a reader', () => {
  it('loses lines, and later says how many', async () => {
    const exporter = await startExporter();
    const agent = new Agent({ keepAlive: true, maxSockets: 8 });
    onTestFinished(() => agent.destroy());
    const path = `/${'x'.repeat(1900)}`; // part of the line in the log
    const ask = () => get(`${exporter.url}${path}`, { agent });
    exporter.child.stderr?.pause();
    let asked = 1000; // twice as much as is buffered
    await Promise.all(Array.from({ length: asked }, ask));
    exporter.child.stderr?.resume();
    const lost = () => exporter.log.find(({ event }) => event === 'log-lines-lost');
    await expect
      .poll(async () => {
        asked += 1;
        await ask();
        return lost();
      }, SOON)
      .toMatchObject({ level: 'warning', lines: expect.any(Number) as number });
    await exporter.stop();
    expect(
      exporter.log.filter(({ event }) => event === 'refused').length + Number(lost()?.['lines']),
    ).toBe(asked);
    expect(lost()?.['lines']).toBeGreaterThan(100);
  });
});

describe.skipIf(process.platform === 'win32').each(['SIGUSR1', 'SIGQUIT'] as const)(
  '%s',
  (signal) => {
    it('logs the state, and the exporter goes on', async () => {
      const exporter = await startExporter();
      const target = `127.0.0.1:${await silentPort()}`;
      await exporter.probe({ target, timeout: '1s' });
      await exporter.probe({});
      const waiting = exporter.probe({ target, timeout: '60s' }).catch(() => 'cut off');
      await untilInFlight(exporter, 1);
      exporter.child.kill(signal);
      await expect
        .poll(() => exporter.log.find(({ event }) => event === 'state'), SOON)
        .toMatchObject({
          level: 'info',
          signal,
          uptimeSeconds: expect.any(Number) as number,
          inFlight: 1,
          probes: 1,
          refused: 1,
        });
      expect((await get(`${exporter.url}/-/healthy`)).status).toBe(200);
      exporter.child.kill('SIGKILL');
      await waiting;
    });
  },
);

describe('stopping', () => {
  it.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)(
    '%s answers the probes in flight, then exits with 0',
    async (signal) => {
      const target = `127.0.0.1:${await silentPort()}`;
      const exporter = await startExporter();
      const idle = new Agent({ keepAlive: true });
      onTestFinished(() => idle.destroy());
      // A kept connection does not delay the exit.
      await get(`${exporter.url}/-/healthy`, { agent: idle });
      const waiting = Promise.all(
        Array.from({ length: 20 }, () => exporter.probe({ target, timeout: '1500ms' })),
      );
      await untilInFlight(exporter, 20);
      const ended = exporter.stop(signal);
      await expect
        .poll(
          () =>
            get(`${exporter.url}/-/healthy`).then(
              () => 'answered',
              (error: NodeJS.ErrnoException) => error.code,
            ),
          SOON,
        )
        .toBe('ECONNREFUSED');
      const answers = await waiting;
      expect(
        answers.map(({ status, body }) => [status, body.includes('cause="no-response"')]),
      ).toEqual(answers.map(() => [200, true]));
      expect((await ended).exitCode).toBe(0);
    },
  );

  it('still answers a client that has connected but not yet sent its request', async () => {
    const exporter = await startExporter();
    let said = '';
    const socket = connect({ port: exporter.port, host: '127.0.0.1' })
      .setEncoding('utf8')
      .on('data', (text: string) => {
        said += text;
      })
      .on('error', () => {});
    onTestFinished(() => void socket.destroy());
    const closed = once(socket, 'close');
    await once(socket, 'connect');
    await get(`${exporter.url}/-/healthy`); // connected later: the first connection was accepted
    const ended = exporter.stop();
    await expect
      .poll(() => exporter.log.some(({ event }) => event === 'stopping'), SOON)
      .toBe(true);
    await expect
      .poll(
        () =>
          get(`${exporter.url}/-/healthy`).then(
            () => 'answered',
            (error: NodeJS.ErrnoException) => error.code,
          ),
        SOON,
      )
      .toBe('ECONNREFUSED');
    socket.write('GET /-/healthy HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await closed;
    expect(said).toMatch(/^HTTP\/1\.1 200 /);
    expect((await ended).exitCode).toBe(0);
  });

  it('a second signal exits at once with 130', async () => {
    const target = `127.0.0.1:${await silentPort()}`;
    const exporter = await startExporter();
    const waiting = exporter.probe({ target, timeout: '60s' }).catch(() => 'cut off');
    await untilInFlight(exporter, 1);
    exporter.child.kill('SIGTERM');
    await expect
      .poll(() => exporter.log.some(({ event }) => event === 'stopping'), SOON)
      .toBe(true);
    const { exitCode } = await exporter.stop('SIGINT');
    expect(exitCode).toBe(130);
    expect(await waiting).toBe('cut off');
  });
});
