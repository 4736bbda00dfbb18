// Says why an entry of the menu opened nothing.

import { translate, word } from './words.js';

const WHY = ['unknown', 'unset', 'no_document', 'no_folder'];

translate();
const why = new URLSearchParams(location.search).get('why');
document.getElementById('what').textContent = word(`why_${WHY.includes(why) ? why : 'unknown'}`);
if (why === 'unset') {
  const button = document.createElement('button');
  button.textContent = word('open_options');
  button.className = 'main';
  button.addEventListener('click', () => chrome.runtime.openOptionsPage());
  document.getElementById('actions').append(button);
}
