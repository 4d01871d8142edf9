// Preloaded into the command to see what a bug looks like: every connect throws.
const { Socket } = require('node:net');
Socket.prototype.connect = function connect() {
  throw new Error('the socket is broken');
};
