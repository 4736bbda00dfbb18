// Where Postroom is, which services there are, and how it opens: as the firm's policy says, else as the firm's package was written, else
// as the person set it.

import config from './config.js';
import { origin } from './places.js';
import { USUAL } from './recognise.js';

async function stored(area) {
  try {
    return (await chrome.storage[area].get(['baseUrl', 'services', 'view'])) ?? {};
  } catch {
    // Where there is no policy, Firefox knows no such storage.
    return {};
  }
}

const strings = (list) => Array.isArray(list) && list.length > 0 && list.every((it) => typeof it === 'string' && it !== '');

/** The services of a policy that are whole; a mistyped one must not take the others with it. */
const whole = (list) =>
  (Array.isArray(list) ? list : []).filter(
    (it) => typeof it?.name === 'string' && it.name !== '' && Object.hasOwn(USUAL, it.kind) && strings(it.hosts),
  );

/** `from` is whose word the address is: `policy`, `package`, `person`, or `nobody` where there is none. */
export async function settings() {
  const [policy, person] = await Promise.all([stored('managed'), stored('local')]);
  const words = [
    ['policy', origin(policy.baseUrl)],
    ['package', origin(config.baseUrl)],
    ['person', origin(person.baseUrl)],
  ];
  const [from, baseUrl] = words.find(([, it]) => it !== '') ?? ['nobody', ''];
  const ofPolicy = whole(policy.services);
  const view = [policy.view, person.view].find((it) => it === 'window' || it === 'tab') ?? 'window';
  return { baseUrl, from, services: ofPolicy.length > 0 ? ofPolicy : config.services, view, viewIsSet: Boolean(policy.view) };
}
