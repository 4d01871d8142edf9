/* The shortest way to time a handshake: one blocking connect(2).
   Prints {"latencyMs":…,"port":…} with the source port. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1e3 + now.tv_nsec / 1e6;
}

int main(int argc, char **argv) {
  if (argc != 3) return 64;
  struct sockaddr_in remote = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[2]))}, local;
  socklen_t size = sizeof local;
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (inet_pton(AF_INET, argv[1], &remote.sin_addr) != 1) return 64;
  double start = now_ms();
  if (connect(fd, (struct sockaddr *)&remote, sizeof remote) != 0) return 1;
  double latency = now_ms() - start;
  getsockname(fd, (struct sockaddr *)&local, &size);
  printf("{\"latencyMs\":%.6f,\"port\":%d}\n", latency, ntohs(local.sin_port));
  return 0;
}
