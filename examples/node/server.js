#!/usr/bin/node
// SPDX-License-Identifier: GPL-2.0-only
const http = require('http');
const { Worker, isMainThread, parentPort, workerData } = require('worker_threads');

function countPrimes(below) {
  const composite = new Uint8Array(below);
  let count = 0;
  for (let n = 2; n < below; ++n) {
    if (composite[n]) continue;
    ++count;
    for (let multiple = n * n; multiple < below; multiple += n) composite[multiple] = 1;
  }
  return count;
}

if (!isMainThread) {
  parentPort.postMessage(countPrimes(workerData));
} else {
  let visits = 0, threads = 0;
  const answer = (response, status, value) => {
    response.writeHead(status, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify(value) + '\n');
  };
  const server = http.createServer((request, response) => {
    const url = new URL(request.url, 'http://node');
    if (url.pathname === '/primes') {
      const below = Number(url.searchParams.get('below'));
      if (!Number.isInteger(below) || below < 2 || below > 1e7) return answer(response, 400, { error: 'a number is wanted' });
      ++threads;
      new Worker(__filename, { workerData: below }).on('message', primes => answer(response, 200, { below, primes }));
    } else if (url.pathname === '/count') {
      let n = 0;
      const timer = setInterval(() => {
        response.write(`${++n}\n`);
        if (n === 3) {
          clearInterval(timer);
          response.end();
        }
      }, 50);
    } else {
      if (url.pathname === '/visit') ++visits;
      answer(response, 200, { visits, threads });
    }
  });
  server.listen(8080);
  process.on('SIGTERM', () => {
    console.log(`closed after ${visits} visits`);
    server.close(() => process.exit(0));
    server.closeIdleConnections();
  });
}
