// Parses the key and the options of a request, and reports mistakes.

// Returns the percent-encoded key of a path.
const readKey = uri => {
    // Ordinary keys have only one spelling.
    if (uri.length < MAX_KEY_BYTES && /^(\/[^\W_][\w.-]*)+$(?!\n)/.test(uri)) {
        return uri.slice(1);
    }
    const key = escaped(decoded(uri.slice(1), 'bad-key.utf8'), /[!'()*]/g).replace(/%2F/g, '/');
    const whole = '/' + key + '/';
    const fault = !key ? 'none'
        : byteLength(key) > MAX_KEY_BYTES ? 'long'
        : encoded(key).length > MAX_ENCODED_KEY_BYTES ? 'coded'
        : CONTROLS.test(key) ? 'byte'
        : /\/\.{0,2}\//.test(whole) ? 'dots'
        : has(whole, '/_/') ? 'taken'
        : '';
    return fault ? refuse('bad-key.' + fault, encoded(key).length) : key;
};

// Parses a query to canonical spellings by short name, '' for defaults. Of several mistakes the reported one does not
// depend on their order in the query: unknown names come first, then repeated ones, then wrong values in the order of the
// table. Mistakes are sorted as texts; positions in the table have at most four digits.
const readValues = query => {
    const values = {};
    const mistakes = [];
    const note = (rank, name, shown) => mistakes.push(1000 + rank + name + '\n' + shown);
    const isEncoded = /[%+]/.test(query);
    const plain = text => isEncoded ? decoded(text.replace(/\+/g, ' '), 'bad-option.utf8') : text;
    query.split('&').forEach(pair => {
        if (pair) {
            const cut = (pair + '=').indexOf('=');
            const name = plain(pair.slice(0, cut));
            const text = plain(pair.slice(cut + 1));
            const row = optionOf(name);
            const value = row && spelling(row, text);
            if (!row) {
                note(0, 'unknown-option' + (name && '.name'), printable(name));
            } else if (row[0] in values) {
                note(1, 'duplicate-option', row[0]);
            } else {
                values[row[0]] = !value ? note(row.position, 'bad-option.' + row[0], printable(text))
                    : row[1] === row[1][0] + value ? '' : value;
            }
        }
    });
    mistakes.sort().forEach(one => refuse.apply(0, one.slice(4).split('\n')));
    return values;
};
