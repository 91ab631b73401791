'use strict';
// A public key infrastructure by openssl, in a folder of its own.
const { execFileSync } = require('child_process');
const fs = require('fs');
const path = require('path');

// Authorities and certificates by openssl, as a site would make them.
class Pki {
	constructor(dir) {
		this.dir = dir;
		this.n = 1;
	}

	openssl(...args) {
		return execFileSync('openssl', args, { cwd: this.dir, stdio: 'pipe' });
	}

	file(name) {
		return path.join(this.dir, name);
	}

	read(name) {
		return fs.readFileSync(this.file(name));
	}

	ca(name) {
		this.openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', `/CN=${name}`, '-keyout', `${name}.key`, '-out', `${name}.crt`);
		this.books(name);
	}

	// An authority that another one vouches for.
	under(ca, name) {
		this.sign(ca, name, `/CN=${name}`, { ext: 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign' });
		this.books(name);
	}

	books(name) {
		fs.writeFileSync(this.file(`${name}.cnf`), `[ca]\ndefault_ca=d\n[d]\ndatabase=${name}.db\ndefault_md=sha256\npolicy=p\nnew_certs_dir=.\nserial=${name}.srl\nunique_subject=no\ncrlnumber=${name}.num\n[p]\nO=optional\nCN=supplied\n`);
		fs.writeFileSync(this.file(`${name}.db`), '');
		fs.writeFileSync(this.file(`${name}.srl`), '1000\n');
		fs.writeFileSync(this.file(`${name}.num`), '01\n');
	}

	sign(ca, name, subject, { ext = 'keyUsage=digitalSignature', from = '20200101000000Z', until: to = '20491231000000Z', key = ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'] } = {}) {
		this.openssl('req', '-newkey', ...key, '-nodes', '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', subject);
		fs.writeFileSync(this.file('ext'), ext);
		this.openssl('ca', '-batch', '-notext', '-config', `${ca}.cnf`, '-cert', `${ca}.crt`, '-keyfile', `${ca}.key`, '-in', `${name}.csr`, '-out', `${name}.crt`,
			'-startdate', from, '-enddate', to, '-extfile', 'ext', '-preserveDN');
	}

	// What the authority says of a certificate, as it is stapled to handshakes: bytes.
	ocsp(ca, name, { days = 1 } = {}) {
		this.openssl('ocsp', '-index', `${ca}.db`, '-CA', `${ca}.crt`, '-rsigner', `${ca}.crt`, '-rkey', `${ca}.key`, '-issuer', `${ca}.crt`, '-cert', `${name}.crt`,
			'-respout', `${name}.ocsp`, '-ndays', String(days), '-no_nonce');
		return this.read(`${name}.ocsp`);
	}

	crl(ca, out, ...revoked) {
		for (const name of revoked) this.openssl('ca', '-config', `${ca}.cnf`, '-cert', `${ca}.crt`, '-keyfile', `${ca}.key`, '-revoke', `${name}.crt`);
		this.openssl('ca', '-config', `${ca}.cnf`, '-cert', `${ca}.crt`, '-keyfile', `${ca}.key`, '-gencrl', '-crldays', '2', '-out', out);
	}
}

module.exports = { Pki };
