// The settings of the server under test: every kind of service at once, nothing to file into.

import { TENANT, ENTRA_APP } from './firm.js';

const text = (value) => JSON.stringify(value);

/** The settings file of a world in a folder, whose services are the simulators. */
export function settings(folder, { openid, imanage, netdocuments, highq }) {
  return `
[server]
listen = "127.0.0.1:0"

[vault]
passphrase_file = ${text(`${folder}/postroom-passphrase`)}
private_key_file = ${text(`${folder}/postroom-key.pem`)}

[data]
dir = ${text(`${folder}/data`)}

[log]
filter = "warn"

[mail.matching]
own_domains = ["firm.example"]

[[roles]]
name = "auditor"
permissions = ["read_audit"]

[[data_uploads]]
name = "matters"
work_type = "matter"
columns = [
  { column = "Matter No", field = "reference" },
  { column = "Title", field = "title" },
  { column = "Open", field = "open" },
]

[[people.domain_rules]]
domain = "firm.example"
site = "main"
role = "user"
status = "active"

[[people.domain_rules]]
domain = "outside.example"
site = "main"
role = "user"
status = "pending"

[[services]]
name = "firm"
title = "the firm's account"
kind = "openid"
issuer = ${text(openid.url)}
client_id = "postroom"
client_secret = "postroom-openid-secret"
sign_in = "visible"

[[services]]
name = "microsoft"
title = "Microsoft"
kind = "entra"
base_url = ${text(openid.url)}
tenant = ${text(TENANT)}
client_id = ${text(ENTRA_APP)}
client_secret = "postroom-entra-secret"
# The tenant is the firm's own: it gives nobody an e-mail that is not theirs.
email_verified = true
sign_in = "visible"

[[services]]
name = "imanage"
title = "iManage Work"
kind = "imanage"
base_url = ${text(imanage.url)}
client_id = "postroom"
client_secret = "postroom-client-secret"
sign_in = "hidden"
links = true

[[services]]
name = "netdocuments"
title = "NetDocuments"
kind = "netdocuments"
base_url = ${text(netdocuments.url)}
web_url = ${text(netdocuments.url)}
client_id = "AP-P0STR00M"
client_secret = "postroom-netdocuments-secret"
links = true
available_to = [{ team = "litigation", required = true }, { team = "everyone" }]

[[services]]
name = "highq"
title = "HighQ"
kind = "highq"
base_url = ${text(highq.url)}
client_id = "17"
client_secret = "postroom-highq-secret"
links = true
`;
}
