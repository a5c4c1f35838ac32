// Kinds of value: what a message asks for, and a reader that makes the canonical spelling of a text, or null.

const within = (pattern, text, low, high) => (pattern.test(text) && +text >= low && +text <= high ? String(+text) : null);

const integer = (text, low, high) => within(/^(0|-?[1-9]\d{0,9})$(?!\n)/, text, low, high);

const decimal = (text, low, high) => within(/^(0|[1-9]\d{0,4})(\.\d{1,2})?$(?!\n)/, text, low, high);

const oneOf = (words, text) => (words.includes(text) ? text : null);

const told = words => 'one of ' + words.join(', ');

const split = text => text.replace(/:/g, ',').split(',');

const joined = parts => (parts.includes(null) ? null : parts.join('-'));

const whole = (low, high, other) => [
    'a whole number from ' + low + ' to ' + high + (other ? ', or ' + other : ''),
    text => (text === other ? text : integer(text, low, high))
];

const fixed = (low, high, step) => [
    'a number from ' + low + ' to ' + high + ' in steps of ' + step,
    text => (Math.round(text * 100) % Math.round(step * 100) ? null : decimal(text, low, high))
];

const flag = () => ['0 or 1', text => integer(text, 0, 1)];

const choice = (words, synonyms) => [
    told(words),
    text => oneOf(words, own(synonyms, text) ? synonyms[text] : text)
];

const colour = () => [
    'a colour of 3, 4, 6 or 8 hex digits, such as ff8800',
    text => {
        const digits = text.toLowerCase();
        return /^([0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8})$(?!\n)/.test(digits)
            ? (digits.length < 6 ? digits.replace(/./g, '$&$&') : digits).replace(/^(.{6})ff$(?!\n)/, '$1')
            : null;
    }
];

const gravity = words => [
    told(words) + ', or fp:x:y with x and y from 0 to 1',
    text => {
        const parts = split(text);
        return parts[0] === 'fp' && parts.length === 3
            ? joined(['fp', decimal(parts[1], 0, 1), decimal(parts[2], 0, 1)])
            : oneOf(words, text);
    }
];

const crop = high => [
    'x,y,w,h in pixels up to ' + high + ', or pct:x,y,w,h in percent with x+w and y+h up to 100',
    text => {
        const parts = split(text);
        if (parts[0] === 'pct' && parts.length === 5) {
            const sides = parts.slice(1).map(part => decimal(part, 0, 100));
            const fits = at => sides[at + 2] > 0 && Math.round(sides[at] * 100 + sides[at + 2] * 100) <= 10000;
            return fits(0) && fits(1) ? joined(['pct'].concat(sides)) : null;
        }
        return parts.length === 4 ? joined(parts.map((part, at) => integer(part, at < 2 ? 0 : 1, high))) : null;
    }
];

const padding = high => [
    '1, 2 or 4 whole numbers (t,r,b,l) from 0 to ' + high,
    text => {
        const sides = split(text).map(part => integer(part, 0, high));
        return [1, 2, 4].includes(sides.length) ? joined(sides.concat(sides, sides, sides).slice(0, 4)) : null;
    }
];

const watermark = (words, position, opacity, size) => [
    'name,position,opacity,scale: a configured name (a-z, 0-9), ' + told(words) + ', and two whole numbers from 1 to 100',
    text => {
        const parts = split(text);
        const all = parts.concat([position, opacity, size].slice(parts.length - 1));
        return /^[a-z0-9]{1,32}$(?!\n)/.test(parts[0]) && parts.length < 5
            ? joined([parts[0], oneOf(words, all[1]), integer(all[2], 1, 100), integer(all[3], 1, 100)])
            : null;
    }
];

const fileName = high => [
    'a file name of at most ' + high + ' bytes without / \\ " or control characters',
    text => {
        const name = escaped(text, /[!'()*_]/g);
        return !text || byteLength(name) > high || /%([01]|2F|5C|22|7F)/.test(name) ? null : encoded(name);
    }
];

const word = (pattern, expects) => [expects, text => (new RegExp('^(' + pattern + ')$(?!\\n)').test(text) ? text : null)];

// The tables of darkroom.plan. `unset` is the spelling of an option that is not given, undefined where it has none.

const option = (short, long, kind, unset) => ({
    short: short, long: long, expects: kind[0], read: kind[1], unset: unset
});

/* tables */
