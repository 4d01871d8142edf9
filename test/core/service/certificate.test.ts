import { X509Certificate } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { certificateFacts, judgeCertificate, type Verification } from '../../../src/core/service/certificate.js';
import type { CertificateFacts } from '../../../src/core/service/finding.js';
import { TestAuthority } from '../../support/certificates.js';

const DAY = 86_400_000;
const NOW = Date.UTC(2026, 2, 4);
const facts: CertificateFacts = { subject: 'CN=a.test', issuer: 'CN=Some Authority', names: ['a.test'], validFrom: NOW - DAY, validTo: NOW + 10 * DAY, daysLeft: 10 };
const judge = (own: Partial<CertificateFacts>, verification: Partial<Verification>) => judgeCertificate({ ...facts, ...own }, { verifyCode: null, host: null, nowMs: NOW, ...verification });

describe('a certificate', () => {
  it('that is in order has no problems', () => {
    expect(judge({}, {})).toEqual([]);
  });

  it.each([
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'self-signed', 'the certificate is self-signed'],
    ['SELF_SIGNED_CERT_IN_CHAIN', 'unknown-authority', 'the certificate comes from an authority that is not trusted here (CN=Some Authority)'],
    ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'unknown-authority', 'the certificate comes from an authority that is not known here (CN=Some Authority), or one between it and a known one was not sent'],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'unknown-authority', 'the certificate comes from an authority that is not known here (CN=Some Authority), or one between it and a known one was not sent'],
    ['CERT_HAS_EXPIRED', 'expired', 'a certificate above it in the chain has expired'],
    ['CERT_NOT_YET_VALID', 'not-yet-valid', 'a certificate above it in the chain is not valid yet'],
    ['INVALID_PURPOSE', 'untrusted', 'the certificate is not made for servers'],
    ['CERT_REVOKED', 'untrusted', 'the certificate has been revoked'],
    ['WHATEVER', 'untrusted', 'the certificate cannot be verified (WHATEVER)'],
  ])('of which OpenSSL says %s is %s', (verifyCode, failure, problem) => {
    expect(judge({}, { verifyCode })).toEqual([{ failure, problem }]);
  });

  it.each([[0.5, 'less than a day'], [1, '1 day'], [12.9, '12 days']])('that expired %d days ago says so once', (days, words) => {
    expect(judge({ validTo: NOW - days * DAY }, { verifyCode: 'CERT_HAS_EXPIRED' })).toEqual([{ failure: 'expired', problem: `the certificate expired ${words} ago` }]);
  });

  it('that is not valid yet says from when', () => {
    expect(judge({ validFrom: NOW + DAY }, { verifyCode: 'CERT_NOT_YET_VALID' })).toEqual([{ failure: 'not-yet-valid', problem: 'the certificate is not valid before 2026-03-05T00:00:00.000Z' }]);
  });

  it('has all that is wrong with it, the weightiest first', () => {
    expect(judge({ validTo: NOW - DAY }, { verifyCode: 'DEPTH_ZERO_SELF_SIGNED_CERT', host: 'b.test' }).map(({ failure }) => failure)).toEqual(['expired', 'self-signed', 'wrong-name']);
  });

  it.each<[string[], string, string]>([[['a.test', 'b.test'], 'CN=a.test', 'a.test, b.test'], [[], 'CN=a.test', 'CN=a.test'], [[], '', 'nobody'], [['1', '2', '3', '4', '5', '6'], '', '1, 2, 3, 4, 5 …']])('for another host says whom it is for: %j', (names, subject, words) => {
    expect(judge({ names, subject }, { host: 'x.test' })).toEqual([{ failure: 'wrong-name', problem: `the certificate is not for x.test but for ${words}` }]);
  });
});

describe('the facts of a certificate', () => {
  let authority: TestAuthority;
  beforeAll(() => { authority = new TestAuthority(); });
  afterAll(() => authority.remove());

  it('are subject, issuer, names of every kind, and days', () => {
    const { cert } = authority.issue({ commonName: 'mail.example.com', altNames: 'DNS:mail.example.com,DNS:*.example.com,IP:192.0.2.1,IP:2001:db8::1,email:a@b.test', toDays: 30 });
    const read = certificateFacts(new X509Certificate(cert), Date.now());
    expect(read).toMatchObject({ subject: 'CN=mail.example.com', issuer: 'CN=Authority of the Tests', names: ['mail.example.com', '*.example.com', '192.0.2.1', '2001:DB8:0:0:0:0:0:1'], daysLeft: 29 });
    expect(Math.abs(read.validTo - read.validFrom - 30 * DAY)).toBeLessThan(5000);
    expect(certificateFacts(new X509Certificate(cert), Date.now() + 31 * DAY).daysLeft).toBe(-2);
  });

  it('have no names where there are none, and one line for a subject of several attributes', () => {
    const { cert } = authority.issue({ commonName: 'a/O=b', selfSigned: true });
    expect(certificateFacts(new X509Certificate(cert), Date.now())).toMatchObject({ names: [], subject: 'CN=a, O=b' });
  });
});
