"""CloudFront's flat-rate plans: their prices and allowances, and what keeps a distribution from one."""
