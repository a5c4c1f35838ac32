// What is hidden in a picture: darkroom.plan.redaction. The rules are the template's parameter, whose pattern lets
// through only prefixes that are percent-encoded as readKey does it.

const together = (one, other) => (one && other && one !== other ? 'all' : one || other);

function redactionOf(key, plan) {
    return DATA_FORMATS.includes(plan.f) ? '' : '${AlwaysRedact}'.split(',').reduce((found, rule) => {
        const parts = rule.split('=');
        return key.startsWith(parts[0]) ? together(found, parts[1]) : found;
    }, plan.redact);
}
