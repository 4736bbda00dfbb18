// The addresses of Postroom's pages. Nothing but ids goes into them.

/** Where documents are handed over. */
export const sendTo = (base, service, ids) =>
  `${base}/send-to/${encodeURIComponent(service)}?${ids.map((id) => `doc=${encodeURIComponent(id)}`).join('&')}`;

/** Where one starts from a folder. */
export const launch = (base, service, id) =>
  `${base}/launch/${encodeURIComponent(service)}?folder=${encodeURIComponent(id)}`;

/** What a person wants with what an address names: the page to open, or why there is none. */
export function page(want, base, found) {
  if (!base) return { why: 'unset' };
  if (!found || (found.documents.length === 0 && found.folders.length === 0)) return { why: 'unknown' };
  if (want === 'send') {
    return found.documents.length > 0 ? { open: sendTo(base, found.service, found.documents) } : { why: 'no_document' };
  }
  return found.folders.length > 0 ? { open: launch(base, found.service, found.folders[0]) } : { why: 'no_folder' };
}

/** An address as the origin that it names, or '' where it may not be Postroom's: it is encrypted, or on this machine. */
export function origin(text) {
  let url;
  try {
    url = new URL(String(text).trim());
  } catch {
    return '';
  }
  const here = ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname);
  const good = url.protocol === 'https:' || (url.protocol === 'http:' && here);
  return good && url.hostname !== '' && url.username === '' && url.password === '' ? url.origin : '';
}
