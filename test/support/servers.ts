import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestCertificate } from './certificates.js';
import { kill } from './command.js';
import type { Lab } from './lab.js';
import { portpingCommand } from './portping.js';
import { SERVER_PATH } from './tools.js';

const idOf = (kind: 'passwd' | 'group', name: string): number =>
  Number(
    readFileSync(`/etc/${kind}`, 'utf8')
      .split('\n')
      .map((line) => line.split(':'))
      .find(([each]) => each === name)?.[2] ?? 0,
  );

/** Real servers in the server's namespace of a lab, configured in a temporary directory. */
export class Servers {
  readonly directory = mkdtempSync(join(tmpdir(), 'portping-servers-'));
  readonly #lab: Lab;
  readonly #certificate: TestCertificate;
  readonly #pids: number[] = [];

  constructor(lab: Lab, certificate: TestCertificate) {
    this.#lab = lab;
    this.#certificate = certificate;
    chmodSync(this.directory, 0o755);
  }

  /** Ends all servers. The lab ends what they have started. */
  close(): void {
    for (const pid of this.#pids) kill(-pid);
    rmSync(this.directory, { recursive: true, force: true });
  }

  /** Postfix: SMTP with STARTTLS on 25, with TLS from the start on 465. */
  async startPostfix(): Promise<void> {
    const home = this.#home('postfix');
    mkdirSync(join(home, 'queue'));
    mkdirSync(join(home, 'data'));
    chownSync(join(home, 'data'), idOf('passwd', 'postfix'), idOf('group', 'postfix'));
    const { certFile, keyFile } = this.#certificate;
    this.#write(
      'postfix/main.cf',
      `compatibility_level = 3.6
queue_directory = ${home}/queue
data_directory = ${home}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
myhostname = mail.example.com
mydestination =
inet_interfaces = all
inet_protocols = all
maillog_file = ${home}/mail.log
maillog_file_prefixes = ${home}
smtpd_tls_cert_file = ${certFile}
smtpd_tls_key_file = ${keyFile}
smtpd_tls_security_level = may
smtpd_peername_lookup = no
`,
    );
    this.#write(
      'postfix/master.cf',
      `smtp inet n - n - - smtpd
465 inet n - n - - smtpd
  -o smtpd_tls_wrappermode=yes
tlsmgr unix - - n 1000? 1 tlsmgr
anvil unix - - n - 1 anvil
rewrite unix - - n - - trivial-rewrite
proxymap unix - - n - - proxymap
postlog unix-dgram n - n - 1 postlogd
`,
    );
    await this.#start(['postfix', '-c', home, 'start-fg'], 25, 465);
  }

  /** Dovecot: IMAP on 143 and 993, POP3 on 110 and 995, with STARTTLS and STLS. */
  async startDovecot(): Promise<void> {
    const home = this.#home('dovecot');
    const { certFile, keyFile } = this.#certificate;
    this.#write(
      'dovecot/dovecot.conf',
      `protocols = imap pop3
base_dir = ${home}/run
state_dir = ${home}/state
log_path = ${home}/dovecot.log
ssl = yes
ssl_cert = <${certFile}
ssl_key = <${keyFile}
passdb {
  driver = static
  args = nopassword=n password=never
}
userdb {
  driver = static
  args = uid=65534 gid=65534 home=${home}
}
`,
    );
    await this.#start(['dovecot', '-F', '-c', join(home, 'dovecot.conf')], 143, 993, 110, 995);
  }

  /** OpenSSH on 22. */
  async startSshd(): Promise<void> {
    const home = this.#home('sshd');
    const { status } = spawnSync('ssh-keygen', [
      '-q',
      '-t',
      'ed25519',
      '-N',
      '',
      '-f',
      join(home, 'key'),
    ]);
    if (status !== 0) throw new Error('ssh-keygen failed');
    // The package's systemd unit makes this folder.
    mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
    this.#write(
      'sshd/sshd_config',
      `HostKey ${home}/key
PidFile ${home}/pid
UsePAM no
ListenAddress 0.0.0.0
ListenAddress ::
`,
    );
    await this.#start(['/usr/sbin/sshd', '-D', '-e', '-f', join(home, 'sshd_config')], 22);
  }

  /** vsftpd on 21, with AUTH TLS. */
  async startVsftpd(): Promise<void> {
    const home = this.#home('vsftpd');
    mkdirSync(join(home, 'empty'), { mode: 0o555 });
    const { certFile, keyFile } = this.#certificate;
    this.#write(
      'vsftpd/vsftpd.conf',
      `listen=NO
listen_ipv6=YES
background=NO
local_enable=YES
anonymous_enable=NO
secure_chroot_dir=${home}/empty
ssl_enable=YES
rsa_cert_file=${certFile}
rsa_private_key_file=${keyFile}
vsftpd_log_file=${home}/log
`,
    );
    await this.#start(['vsftpd', join(home, 'vsftpd.conf')], 21);
  }

  /** nginx: HTTP on 80, HTTPS on 443. */
  async startNginx(): Promise<void> {
    const home = this.#home('nginx');
    const { certFile, keyFile } = this.#certificate;
    const places = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
      .map((name) => `${name}_temp_path ${home}/${name};`)
      .join(' ');
    this.#write(
      'nginx/nginx.conf',
      `daemon off;
worker_processes 1;
pid ${home}/pid;
error_log ${home}/error.log;
events {}
http {
  access_log ${home}/access.log;
  ${places}
  server {
    listen 80; listen [::]:80; listen 443 ssl; listen [::]:443 ssl;
    server_name mail.example.com;
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_certificate ${certFile};
    ssl_certificate_key ${keyFile};
    return 204;
  }
}
`,
    );
    await this.#start(['nginx', '-c', join(home, 'nginx.conf')], 80, 443);
  }

  /** Reads a file that a server wrote. */
  read(path: string): string {
    return readFileSync(join(this.directory, path), 'utf8');
  }

  #home(name: string): string {
    const home = join(this.directory, name);
    mkdirSync(home);
    return home;
  }

  #write(path: string, text: string): void {
    writeFileSync(join(this.directory, path), text);
  }

  async #start(argv: string[], ...ports: number[]): Promise<void> {
    const child = this.#lab.spawn('server', argv, {
      stdio: 'pipe',
      env: { PATH: SERVER_PATH },
    });
    if (child.pid) this.#pids.push(child.pid);
    let said = '';
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding('utf8').on('data', (text) => {
        said += text;
      });
    const { exitCode } = await this.#lab.exec(
      'client',
      [...portpingCommand, '-q', '--wait', '20s', this.#lab.server.v4, ports.join(',')],
      { timeoutMs: 30_000 },
    );
    if (exitCode !== 0) throw new Error(`${argv[0]} did not start: ${said}`);
  }
}
