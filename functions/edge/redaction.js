// Applies redaction: darkroom.plan.redaction. Rules are validated when they are published: their prefixes are
// percent-encoded as readKey does it.

const redactionOf = (rules, key, plan) => isData(plan.f) ? '' : !rules ? plan.redact
    : redactions(rules.split(',').reduce((found, rule) => {
        const parts = rule.split('=');
        return key.startsWith(parts[0]) ? found.concat(parts[1].split('-')) : found;
    }, (plan.redact || '').split('-')));
