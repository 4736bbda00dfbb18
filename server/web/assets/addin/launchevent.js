// What Outlook runs when a message is sent. Classic Outlook runs it without a page: one file, old syntax, nothing imported, no storage.
// It copies the id of what was chosen in the pane into a header of the message; the server finds the sent message by it. Whatever
// goes wrong here, the message is sent: every way out ends in allowEvent: true, and none takes longer than a moment.

/* global Office */

var POSTROOM_HEADER = 'X-Postroom-Send';
var POSTROOM_PATIENCE_MS = 3000;
var POSTROOM_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

function onMessageSendHandler(event) {
  var over = false;
  function send() {
    if (over) return;
    over = true;
    event.completed({ allowEvent: true });
  }
  try {
    if (typeof setTimeout === 'function') setTimeout(send, POSTROOM_PATIENCE_MS);
    /** @type {any} */
    var item = Office.context.mailbox.item;
    item.sessionData.getAsync('postroom-send', function (result) {
      try {
        var id = result.status === 'succeeded' && result.value ? String(JSON.parse(result.value).id) : '';
        // What is no id of ours is not put into a message that others read.
        if (!POSTROOM_ID.test(id)) return send();
        var headers = {};
        headers[POSTROOM_HEADER] = id;
        item.internetHeaders.setAsync(headers, send);
      } catch (error) {
        send();
      }
    });
  } catch (error) {
    send();
  }
}

if (typeof Office !== 'undefined' && Office.actions) {
  Office.actions.associate('onMessageSendHandler', onMessageSendHandler);
}
