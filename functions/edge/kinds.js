// Finds the row of an option in the table of darkroom.plan, and converts a value to its canonical spelling.

// Patterns and searches in long texts cost most in the engine.

const within = (text, low, high) => +text >= low && +text <= high ? +text + '' : '';

const integer = (text, low, high) => +text % 1 === 0 && +text + '' === text ? within(text, low, high) : '';

const decimal = (text, low, high) => /^(0|[1-9]\d{0,4})(\.\d{1,2})?$(?!\n)/.test(text) ? within(text, low, high) : '';

const oneOf = (text, words) => has(words.split(' '), text) ? text : '';

const split = text => text.split(':').join(',').split(',');

const joined = parts => has(parts, '') ? '' : parts.join('-');

// Whether a text is the name of a watermark or a class of objects.
const isName = text => /^[a-z0-9]{1,32}$(?!\n)/.test(text);

// Returns what words redact together: darkroom.plan.compound_types.join_redactions.
const redactions = words => {
    const all = has(words, 'all') || has(words, 'faces') && has(words, 'text');
    const covered = all ? 'faces pii text' : has(words, 'text') ? 'pii' : '';
    return words.concat(all ? 'all' : []).sort()
        .filter((word, at, sorted) => word !== sorted[at - 1] && !has(covered, word)).join('-');
};

/* tables */

// The table is one text, because an invocation needs few of its rows: after each ; the short and the long name with =
// between them, the default, the letter of the kind, and what the kind takes. The row that is returned has the short name
// alone in the first place. A viewer's name can contain separators, so the result is compared. The first and the last
// rows are those that most requests need.
const optionOf = name => {
    const short = ';' + name + '=';
    let start = OPTIONS.lastIndexOf(short, 130);
    if (start < 0) {
        start = OPTIONS.lastIndexOf(short);
    }
    if (start < 0) {
        start = OPTIONS.lastIndexOf(';', OPTIONS.indexOf('=' + name + '|'));
    }
    const row = OPTIONS.slice(start + 1, OPTIONS.indexOf(';', start + 1)).split('|');
    const names = row[0].split('=');
    row[0] = names[0];
    return name && has(names, name) ? row : 0;
};

const region = (parts, high) => {
    if (parts[0] === 'pct' && parts.length === 5) {
        const sides = parts.slice(1).map(part => decimal(part, 0, 100));
        const fits = at => sides[at + 2] > 0 && Math.round(sides[at] * 100 + sides[at + 2] * 100) <= 10000;
        return fits(0) && fits(1) ? joined(['pct'].concat(sides)) : '';
    }
    return parts.length === 4 ? joined(parts.map((part, at) => integer(part, at < 2 ? 0 : 1, high))) : '';
};

// Returns '' for an invalid text.
const spelling = (row, text) => {
    const high = row[3];
    const low = row[4] || 0;
    const step = row[5];
    let parts = text;
    switch (row[2]) {
    case 'w':
        return text === step ? text : integer(text, low, high);
    case 'x':
        return Math.round(text * 100) % step ? '' : decimal(text, low, high);
    case 'c':
        // A list can have one synonym: step for low.
        return oneOf(text === low ? step : text, high);
    case 'r':
        parts = text.toLowerCase();
        return /^([0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8})$(?!\n)/.test(parts)
            ? (parts.length < 6 ? parts.replace(/./g, '$&$&') : parts).replace(/^(.{6})ff$(?!\n)/, '$1') : '';
    case 'g':
        parts = split(text);
        return parts[0] === 'fp' && parts.length === 3
            ? joined(['fp', decimal(parts[1], 0, 1), decimal(parts[2], 0, 1)])
            : parts[0] === 'obj' && isName(parts[1]) && !parts[2] ? joined(parts) : oneOf(text, COMPASS + ' ' + high);
    case 'd':
        parts = split(text);
        return parts.every(isName) ? redactions(parts) : '';
    case 'k':
        return region(split(text), high);
    case 'p':
        parts = split(text).map(part => integer(part, 0, high));
        return has([1, 2, 4], parts.length) ? joined(parts.concat(parts, parts, parts).slice(0, 4)) : '';
    case 'm':
        parts = split(text);
        parts = parts.concat(row.slice(parts.length + 2));
        return isName(parts[0]) && parts.length < 5
            ? joined([parts[0], oneOf(parts[1], COMPASS), integer(parts[2], 1, 100), integer(parts[3], 1, 100)]) : '';
    case 'n':
        parts = escaped(text, /[!'()*_]/g);
        return !text || byteLength(parts) > high || (low ? /%([01]|7F)/ : /%([01]|2F|5C|22|7F)/).test(parts) ? '' : encoded(parts);
    }
    return (row[2] === 'a' ? PRESET_NAME : SIGNATURE).test(text) ? text : '';
};
