// Texts: percent-encoding, lengths in bytes, and what of a client's text is told again.

const own = (object, name) => Object.prototype.hasOwnProperty.call(object || {}, name);

function decoded(text) {
    try {
        return decodeURIComponent(text.replace(/\+/g, ' '));
    } catch (error) {
        wrong('The query is not percent-encoded UTF-8');
    }
}

// Percent-encoded but for A-Z a-z 0-9 - _ . ! ~ * ' ( ), and of these too what matches `more`.
const escaped = (text, more) =>
    encodeURIComponent(text).replace(more, character => '%' + character.charCodeAt(0).toString(16).toUpperCase());

// The encoding of a percent-encoded text, in letters, digits, - . _ and / only (darkroom.plan.keys): .-C3A9 for %C3%A9.
const encoded = text =>
    text.replace(/\.-/g, '.%2D').replace(/~/g, '%7E').replace(/%([89AB].)/g, '$1').replace(/%/g, '.-');

const byteLength = escapes => escapes.replace(/%../g, '.').length;

function printable(text) {
    const plain = text.replace(/[^ -~]+/g, encodeURIComponent);
    return plain.length > 40 ? plain.slice(0, 40) + '...' : plain;
}
