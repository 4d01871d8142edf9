import { Socket } from 'node:net';
import { expect, it } from 'vitest';
import { Turns } from '../../src/exporter/turns.js';

it('a connection with many requests lets the others go first', async () => {
  const turns = new Turns();
  const [greedy, modest] = [new Socket(), new Socket()];
  const started: string[] = [];
  const ended = new Promise<void>((resolve) => {
    for (const name of ['a', 'b', 'c', 'd'])
      turns.start(greedy, () => {
        started.push(name);
        if (name === 'd') resolve();
      });
    turns.start(modest, () => started.push('first'));
    turns.start(modest, () => started.push('second'));
  });
  expect(started).toEqual(['a', 'first']);
  await ended;
  expect(started).toEqual(['a', 'first', 'b', 'second', 'c', 'd']);
});
