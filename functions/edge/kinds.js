// Finds the row of an option in the table of darkroom.plan, and converts a value to its canonical spelling.

// Patterns and searches in long texts cost most in the engine.

const within = (text, low, high) => +text >= low && +text <= high ? +text + '' : '';

const integer = (text, low, high) => +text % 1 === 0 && +text + '' === text ? within(text, low, high) : '';

const decimal = (text, low, high) => /^(0|[1-9]\d{0,4})(\.\d{1,2})?$(?!\n)/.test(text) ? within(text, low, high) : '';

const compass = text => /^(center|(north|south)?(east|west)?)$(?!\n)/.test(text) ? text : '';

const oneOf = (text, words) => has(words.split(' '), text) ? text : '';

const split = text => text.split(':').join(',').split(',');

const joined = parts => has(parts, '') ? '' : parts.join('-');

// Whether a text is the name of a watermark or a class of objects.
const isName = text => /^[a-z\d]{1,32}$(?!\n)/.test(text);

// Returns what words redact together: darkroom.plan.compound_types.join_redactions.
const redactions = words => {
    const all = has(words, 'all') || has(words, 'faces') && has(words, 'text');
    const covered = all ? 'faces pii text' : has(words, 'text') ? 'pii' : '';
    return words.concat(all ? 'all' : []).sort()
        .filter((word, at, sorted) => word !== sorted[at - 1] && !has(covered, word)).join('-');
};

/* tables */

// The table is one text, because an invocation needs few of its rows: after each ; the short and the long name with =
// between them, the letter of the kind and the default, and what the kind takes. The row that is returned has the short name
// alone in the first place, and its position in the table. A viewer's name can contain separators, so the result is
// compared. The first and the last rows are those that most requests need.
const optionOf = name => {
    const short = ';' + name + '=';
    const start = 1 + OPTIONS.lastIndexOf(short, 130) || 1 + OPTIONS.lastIndexOf(short)
        || 1 + OPTIONS.lastIndexOf(';', OPTIONS.indexOf('=' + name + '|'));
    const row = OPTIONS.slice(start, OPTIONS.indexOf(';', start)).split('|');
    const names = row[0].split('=');
    row[0] = names[0];
    row.position = start + 1;
    return name && has(names, name) ? row : 0;
};

const percentages = sides =>
    [0, 1].every(at => sides[at + 2] > 0 && Math.round(sides[at] * 100 + sides[at + 2] * 100) <= 10000)
        ? joined(['pct'].concat(sides)) : '';

const region = (parts, high) =>
    parts.length === 4 ? joined(parts.map((part, at) => integer(part, at < 2 ? 0 : 1, high)))
        : parts[0] === 'pct' && parts.length === 5 ? percentages(parts.slice(1).map(part => decimal(part, 0, 100))) : '';

const watermark = parts => isName(parts[0]) && parts.length < 5
    ? joined([parts[0], compass(parts[1]), integer(parts[2], 1, 100), integer(parts[3], 1, 100)]) : '';

const colour = text => /^([\da-f]{3,4}|([\da-f]{2}){3,4})$(?!\n)/.test(text)
    ? (text.length < 6 ? text.replace(/./g, '$&$&') : text).replace(/^(.{6})ff/, '$1') : '';

const plainText = (text, high, hasPath) => {
    const escapes = escaped(text, /[!'()*_]/g);
    return !text || byteLength(escapes) > high || CONTROLS.test(escapes) || !hasPath && /%(2F|5C|22)/.test(escapes) ? ''
        : encoded(escapes);
};

// Returns '' for an invalid text. Kinds of several values have capital letters.
const spelling = (row, text) => {
    const kind = row[1][0];
    const high = row[2];
    const low = row[3] || 0;
    const step = row[4];
    const parts = kind < 'a' && split(text);
    return kind === 'w' ? text === step ? text : integer(text, low, high)
        : kind === 'x' ? Math.round(text * 100) % step ? '' : decimal(text, low, high)
        // A list can have one synonym: step for low.
        : kind === 'c' ? oneOf(text === low ? step : text, high)
        : kind === 'r' ? colour(text.toLowerCase())
        : kind === 'G' ? parts[0] === 'fp' && parts.length === 3
            ? joined(parts.map((part, at) => at ? decimal(part, 0, 1) : part))
            : parts[0] === 'obj' && isName(parts[1]) && !parts[2] ? joined(parts) : compass(text) || oneOf(text, high)
        : kind === 'D' ? parts.every(isName) ? redactions(parts) : ''
        : kind === 'K' ? region(parts, high)
        : kind === 'P' ? has([1, 2, 4], parts.length)
            ? joined(parts.concat(parts, parts, parts).slice(0, 4).map(part => integer(part, 0, high))) : ''
        : kind === 'M' ? watermark(parts.concat(row.slice(parts.length + 1)))
        : kind === 'n' ? plainText(text, high, low)
        : (kind === 'a' ? PRESET_NAME : SIGNATURE).test(text) ? text : '';
};
