// Refusals, and texts: percent-encoding, lengths in bytes, and a client's text in a refusal.

// Throws a refusal. The store has its text under a name that begins with the code; `shown` is inserted into it.
const refuse = (name, shown, status) => {
    throw [name, shown, status || 400];
};

// Names of the language that are used several times are short in the minified code.
const keysOf = Object.keys;
const percentEncode = encodeURIComponent;

const has = (list, one) => list.includes(one);

const decoded = (text, refusal) => {
    try {
        return decodeURIComponent(text);
    } catch (error) {
        refuse(refusal);
    }
};

// Percent-encodes all characters but A-Z a-z 0-9 - _ . ! ~ * ' ( ), and of these those that match `more`.
const escaped = (text, more) =>
    percentEncode(text).replace(more, character => '%' + character.charCodeAt(0).toString(16).toUpperCase());

// Encodes a percent-encoded text in letters, digits, - . _ and / only (darkroom.image_keys): .-C3A9 for %C3%A9.
const encoded = text => /[%~]|\.-/.test(text)
    ? text.replace(/\.-/g, '.%2D').replace(/~/g, '%7E').replace(/%([89AB].)/g, '$1').replace(/%/g, '.-') : text;

// Percent-encoded control characters
const CONTROLS = /%([01]|7F)/;

const byteLength = escapes => escapes.replace(/%../g, '.').length;

const printable = text => {
    const plain = text.replace(/[^ -~]+/g, percentEncode);
    return plain.length > 40 ? plain.slice(0, 40) + '...' : plain;
};
