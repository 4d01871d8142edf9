// Preloaded into the command to simulate a bug: every connect throws.
const { Socket } = require('node:net');
Socket.prototype.connect = function connect() {
  throw new Error('the socket is broken');
};
