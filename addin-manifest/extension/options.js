// Where Postroom is, where the firm has not said so already; how it opens; and what this extension does with data.

import { origin } from './places.js';
import { settings } from './settings.js';
import { translate, word } from './words.js';

const at = (id) => document.getElementById(id);

async function show() {
  const { baseUrl, from, services, view, viewIsSet } = await settings();
  const own = from === 'person' || from === 'nobody';
  at('own').hidden = !own;
  at('told').textContent = own ? word('where_own') : word(`where_${from}`, baseUrl);
  if (own) at('address').value = baseUrl;
  at('services').replaceChildren(
    ...services.map((it) => {
      const item = document.createElement('li');
      item.textContent = `${it.name}: ${it.hosts.join(', ')}`;
      return item;
    }),
  );
  at('view').querySelector(`[value="${view}"]`).checked = true;
  at('view').disabled = viewIsSet;
}

at('own').addEventListener('submit', async (event) => {
  event.preventDefault();
  const baseUrl = origin(at('address').value);
  at('address').setAttribute('aria-invalid', String(baseUrl === ''));
  at('wrong').textContent = baseUrl === '' ? word('address_wrong') : '';
  at('done').textContent = '';
  if (baseUrl === '') {
    at('address').focus();
    return;
  }
  await chrome.storage.local.set({ baseUrl });
  at('address').value = baseUrl;
  at('done').textContent = word('saved');
});

at('view').addEventListener('change', async (event) => {
  await chrome.storage.local.set({ view: event.target.value });
  at('done').textContent = word('saved');
});

translate();
await show();
