import { compareSync } from 'bcryptjs';
import { parentPort } from 'node:worker_threads';

// Run as a thread: one comparison takes from 50 ms to many seconds of the processor.
parentPort?.on('message', ({ password, hash }: { password: string; hash: string }) => {
  parentPort?.postMessage(compareSync(password, hash));
});
