// What a viewer asks for: the key, the options, and their mistakes.

// Keys: the percent-encoding of the key that a path names.
function readKey(uri) {
    let key;
    try {
        key = escaped(decodeURIComponent(uri.slice(1)), /[!'()*]/g).replace(/%2F/g, '/');
    } catch (error) {
        refuse('bad-key', 'The path is not percent-encoded UTF-8');
    }
    const has = segment => ('/' + key + '/').includes('/' + segment + '/');
    const fault = !key ? 'The path names no image'
        : byteLength(key) > MAX_KEY_BYTES ? 'The key is longer than MAX_KEY_BYTES bytes'
        : encoded(key).length > MAX_ENCODED_KEY_BYTES
            ? 'The key takes ' + encoded(key).length + ' bytes once encoded; at most MAX_ENCODED_KEY_BYTES are allowed'
        : /%[01]|%7F/.test(key) ? 'The key holds a control character'
        : has('') || has('.') || has('..') ? 'The key has an empty segment, or one that is . or ..'
        : has('_') ? '/_/ is reserved and may not appear in a key'
        : '';
    if (fault) {
        refuse('bad-key', fault);
    }
    return key;
}

// The start of the canonical path, from the encoding of the key to the separator.
const startOf = key => '/' + encoded(key) + '/_/';

// Queries: canonical spellings by short name. Of several mistakes the same one is told whatever their order.
function readValues(query) {
    const given = {};
    const unknown = [];
    const repeated = [];
    query.split('&').filter(pair => pair).forEach(pair => {
        const cut = (pair + '=').indexOf('=');
        const name = decoded(pair.slice(0, cut));
        const text = decoded(pair.slice(cut + 1));
        const known = OPTIONS.find(one => one.short === name || one.long === name);
        if (!known) {
            unknown.push(printable(name));
        } else if (own(given, known.short)) {
            repeated.push(known.short);
        } else {
            given[known.short] = text;
        }
    });
    unknown.sort().forEach(name => refuse('unknown-option', "There is no option '" + name + "'", name));
    repeated.sort().forEach(name => refuse('duplicate-option', name + ' was given twice', name));
    const values = {};
    OPTIONS.filter(one => own(given, one.short)).forEach(one => {
        values[one.short] = readValue(one, given[one.short]);
    });
    return values.preset ? Object.assign({}, presetValues(values.preset), values) : values;
}

function presetValues(name) {
    if (!own(PRESETS, name)) {
        wrong("preset: there is no preset '" + name + "'; there are " + Object.keys(PRESETS).join(', '), 'preset');
    }
    return PRESETS[name];
}

function readValue(known, text) {
    const spelling = known.read(text);
    if (spelling === null) {
        wrong(known.short + ' must be ' + known.expects + ", but is '" + printable(text) + "'", known.short);
    }
    return spelling;
}
