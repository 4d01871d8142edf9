/**
 * The rules where `--allow` gives none: this machine and private networks.
 * Link-local addresses are not among them: clouds keep secrets behind 169.254.169.254.
 */
export const DEFAULT_RULES: readonly string[] = [
  '127.0.0.0/8', // loopback (RFC 1122)
  '::1/128', // loopback (RFC 4291)
  '10.0.0.0/8', // private (RFC 1918)
  '172.16.0.0/12',
  '192.168.0.0/16',
  'fc00::/7', // unique local (RFC 4193)
];

/** Loopback addresses. */
export const LOOPBACK: readonly string[] = ['127.0.0.0/8', '::1/128'];

/**
 * The metadata services of clouds, from each cloud's documentation, apart from 169.254.169.254.
 * They hand out credentials. The default rules would permit those in unique local addresses.
 */
export const CLOUD_METADATA: readonly string[] = [
  'fd00:ec2::/32', // Amazon, and its other services beside it
  'fd20:ce::254', // Google
  'fd00:c1::a9fe:a9fe', // Oracle
  'fd00:42::42', // Scaleway
  'fd00:a9fe:a9fe::1', // Linode
  'fd00:100::100:200', // Alibaba
  '100.100.100.200', // Alibaba
  '168.63.129.16', // Azure
  '192.0.0.192', // Oracle
];

/** Addresses of this machine and its links on every machine, and metadata services. */
export const NEVER_BY_NAME: readonly string[] = [
  '0.0.0.0/8',
  '127.0.0.0/8',
  '169.254.0.0/16', // link-local
  '::/127', // unspecified and loopback
  'fe80::/10', // link-local
  ...CLOUD_METADATA,
];
