// Verifies signatures of private images, as darkroom.signing does: a signature covers the canonical request or the URL as
// it is written.

const isPrivate = (prefixes, key) => prefixes && prefixes.split(',').some(prefix => ('/' + key).startsWith(prefix));

const macOf = (key, text) => crypto.createHmac('sha256', key).update(text).digest('base64url');

// Codes of both texts are compared, so that the time of the comparison does not depend on the right one.
const isSigned = (keys, texts, signature) => keys.some(key =>
    texts.some(text => macOf(key, macOf(key, text)) === macOf(key, signature)));
