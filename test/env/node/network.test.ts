import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { overlaps } from './network.ts';

describe('overlaps', () => {
  const cases: readonly [string, string, boolean][] = [
    ['10.213.0.0/24', '10.213.0.0/24', true],
    ['10.0.0.0/8', '10.213.7.0/24', true],
    ['10.213.7.0/24', '10.0.0.0/8', true],
    ['10.213.7.200', '10.213.7.0/24', true],
    ['10.213.8.1', '10.213.7.0/24', false],
    ['10.212.0.0/16', '10.213.0.0/24', false],
    ['192.168.0.0/16', '10.213.0.0/24', false],
    ['128.0.0.0/1', '172.29.0.0/24', true], // what VPN clients add to cover half the Internet
  ];
  for (const [a, b, expected] of cases) {
    it(`${a} and ${b}: ${expected}`, () => assert.equal(overlaps(a, b), expected));
  }
});
