// Parses the key and the options of a request, and reports mistakes.

// Returns the percent-encoded key of a path.
const readKey = uri => {
    // Ordinary keys have only one spelling.
    if (uri.length < MAX_KEY_BYTES && /^(\/[A-Za-z0-9][\w.-]*)+$(?!\n)/.test(uri)) {
        return uri.slice(1);
    }
    let key;
    try {
        key = escaped(percentDecode(uri.slice(1)), /[!'()*]/g).replace(/%2F/g, '/');
    } catch (error) {
        refuse('bad-key.utf8');
    }
    const whole = '/' + key + '/';
    const fault = !key ? 'none'
        : byteLength(key) > MAX_KEY_BYTES ? 'long'
        : encoded(key).length > MAX_ENCODED_KEY_BYTES ? 'coded'
        : /%[01]|%7F/.test(key) ? 'byte'
        : /\/\.{0,2}\//.test(whole) ? 'dots'
        : has(whole, '/_/') ? 'taken'
        : '';
    return fault ? refuse('bad-key.' + fault, encoded(key).length) : key;
};

// Parses a query to canonical spellings by short name, '' for defaults. Of several mistakes the reported one does not
// depend on their order.
const readValues = query => {
    const values = {};
    const unknown = [];
    const repeated = [];
    const wrong = [];
    const plain = /[%+]/.test(query) ? decoded : text => text;
    query.split('&').forEach(pair => {
        if (pair) {
            const cut = (pair + '=').indexOf('=');
            const name = plain(pair.slice(0, cut));
            const text = plain(pair.slice(cut + 1));
            const row = optionOf(name);
            if (!row) {
                unknown.push(printable(name));
            } else if (row[0] in values) {
                repeated.push(row[0]);
            } else {
                const value = spelling(row, text);
                values[row[0]] = value === row[1] ? '' : value;
                if (!value) {
                    wrong.push([OPTIONS.indexOf(';' + row[0] + '='), row[0], printable(text)]);
                }
            }
        }
    });
    unknown.sort().forEach(name => refuse('unknown-option' + (name && '.name'), name));
    repeated.sort().forEach(name => refuse('duplicate-option', name));
    wrong.sort((one, other) => one[0] - other[0]).forEach(one => refuse('bad-option.' + one[1], one[2]));
    return values;
};
