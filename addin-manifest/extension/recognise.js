// Which document or folder an address names. Pure: an address and the firm's services in, ids out. What an id is worth the server
// decides, which asks the DMS with the person's own rights.

/** Hosts that the vendors themselves run. `*.x` is x and everything below it. */
export const USUAL = {
  imanage: [
    '*.imanage.work',
    '*.imanagework.com',
    '*.imanagework.co.uk',
    '*.imanagework-asia.com',
    '*.cloudimanage.com',
  ],
  netdocuments: ['vault.netvoyage.com', '*.netdocuments.com'],
  highq: ['*.highq.com'],
};

/** As many as Postroom takes at once. */
export const MOST_IDS = 100;

const within = (host, pattern) =>
  pattern.startsWith('*.') ? host === pattern.slice(2) || host.endsWith(pattern.slice(1)) : host === pattern;

/** The service whose pages a host has: one that names the host, else the only one of the vendor's kind. */
function serviceOf(host, services) {
  const named = services.find((it) => it.hosts.some((pattern) => within(host, pattern.toLowerCase())));
  if (named) return named;
  const kind = Object.keys(USUAL).find((it) => USUAL[it].some((pattern) => within(host, pattern)));
  if (!kind) return null;
  // A package without services calls them by their kind; Postroom knows which is meant when there is one of it.
  if (services.length === 0) return { name: kind, kind };
  const ofKind = services.filter((it) => it.kind === kind);
  return ofKind.length === 1 ? ofKind[0] : null;
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The segments and parameters of an address; pages that route behind the hash have both there too. */
function partsOf(url) {
  const segments = url.pathname.split('/');
  const parameters = [...url.searchParams];
  const behind = url.hash.replace(/^#!?/, '');
  if (/[/?=]/.test(behind)) {
    const [path, query = ''] = behind.includes('?') || !behind.includes('=') ? behind.split('?', 2) : ['', behind];
    segments.push(...path.split('/'));
    parameters.push(...new URLSearchParams(query));
  }
  return { segments: segments.map(decoded).filter((it) => it !== ''), parameters };
}

const IMANAGE_ID = /^[\w-]{1,64}![0-9]{1,18}(\.[0-9]{1,9})?$/;
const IMANAGE_DOCUMENT = /^(d|documents?)$/i;
const IMANAGE_FOLDER = /^(f|folders?|w|workspaces?|tabs?)$/i;

/** iManage: `…/d/LIB!12.3`, `…/f/LIB!45`, `…/w/LIB!6`, and the longer words for them. Of folders the innermost counts. */
function imanage({ segments }) {
  const documents = [];
  let folders = [];
  for (const [at, id] of segments.entries()) {
    if (!IMANAGE_ID.test(id)) continue;
    const before = segments[at - 1] ?? '';
    if (IMANAGE_DOCUMENT.test(before)) documents.push(id);
    else if (IMANAGE_FOLDER.test(before)) folders = [id];
  }
  return { documents, folders };
}

const NETDOCUMENTS_ID = /^[0-9]{4}-[0-9]{4}-[0-9]{4}$/;

/** NetDocuments: twelve digits wherever they stand. Documents and folders look alike, unless the address opens a document. */
function netdocuments({ segments, parameters }) {
  const values = [...segments, ...parameters.map(([, value]) => value)];
  const ids = values.flatMap((value) => value.split(/[,;|]/)).map((it) => it.trim());
  const documents = ids.filter((it) => NETDOCUMENTS_ID.test(it));
  const opens = parameters.some(([name, value]) => name.toLowerCase() === 'open' && /^(y|1|yes|true)$/i.test(value));
  return { documents, folders: opens ? [] : documents.slice(0, 1) };
}

const DIGITS = /^[0-9]{1,18}$/;

/** HighQ: `metaData.documentID` and `metaData.parentFolderID`. */
function highq({ parameters }) {
  const named = (wanted) =>
    parameters.filter(([name, value]) => name.toLowerCase() === wanted && DIGITS.test(value)).map(([, value]) => value);
  return { documents: named('metadata.documentid'), folders: named('metadata.parentfolderid').slice(-1) };
}

const READERS = { imanage, netdocuments, highq };

/**
 * What an address names: `{ service, kind, documents, folders }`, or null where it is not a page of a DMS of the firm's. Either list may
 * be empty.
 */
export function recognise(address, services = []) {
  let url;
  try {
    url = new URL(address);
  } catch {
    return null;
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return null;
  const service = serviceOf(url.hostname.toLowerCase(), services);
  if (!service) return null;
  const { documents, folders } = READERS[service.kind](partsOf(url));
  const once = (ids) => [...new Set(ids)].slice(0, MOST_IDS);
  return { service: service.name, kind: service.kind, documents: once(documents), folders: once(folders) };
}

/** The addresses of all pages that may be recognised, as browsers match them. */
export function patterns(services = []) {
  const kinds = services.length === 0 ? Object.keys(USUAL) : services.map((it) => it.kind);
  const hosts = [...services.flatMap((it) => it.hosts), ...kinds.flatMap((kind) => USUAL[kind])];
  return [...new Set(hosts)].map((host) => `*://${host.toLowerCase()}/*`);
}
