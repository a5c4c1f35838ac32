// Written by `make alarms` (bench/cost/month.py). Do not edit.
const MODEL = {
 "read": "2026-11-25",
 "inputs": [
  {
   "name": "images",
   "label": "images",
   "default": 2000000
  },
  {
   "name": "new_images",
   "label": "new images a month",
   "default": 20000
  },
  {
   "name": "master_mb",
   "label": "MB of an upload, on average",
   "default": 2.3
  },
  {
   "name": "views",
   "label": "views a month",
   "default": 50000000
  },
  {
   "name": "image_kb",
   "label": "kB of a delivered image, on average",
   "default": 77
  },
  {
   "name": "miss_percent",
   "label": "percent of the views that the CDN does not have",
   "default": 10
  },
  {
   "name": "active_percent",
   "label": "percent of the images that are viewed within three months",
   "default": 25
  },
  {
   "name": "widths",
   "label": "derivatives of such an image that are requested",
   "default": 4
  }
 ],
 "lines": [
  {
   "label": "ingest of the images, copied from another bucket",
   "period": "once",
   "terms": [
    [
     7.641826842104781e-05,
     [
      "images"
     ]
    ]
   ]
  },
  {
   "label": "CDN: requests and edge functions",
   "period": "month",
   "terms": [
    [
     1.2e-06,
     [
      "views"
     ]
    ]
   ]
  },
  {
   "label": "CDN: delivery",
   "period": "month",
   "terms": [
    [
     8.500000000000001e-08,
     [
      "image_kb",
      "views"
     ]
    ]
   ]
  },
  {
   "label": "misses: reads of stored derivatives",
   "period": "month",
   "terms": [
    [
     4e-09,
     [
      "views",
      "miss_percent"
     ]
    ]
   ]
  },
  {
   "label": "misses: renders, each stored for three months",
   "period": "month",
   "terms": [
    [
     3.190629154518229e-08,
     [
      "images",
      "active_percent",
      "widths"
     ]
    ],
    [
     9.571887463554688e-06,
     [
      "new_images",
      "widths"
     ]
    ]
   ]
  },
  {
   "label": "ingest of new images, with their presets",
   "period": "month",
   "terms": [
    [
     6.72599252960478e-05,
     [
      "new_images"
     ]
    ]
   ]
  },
  {
   "label": "storage: masters and mezzanines",
   "period": "month",
   "terms": [
    [
     3.160271847835937e-05,
     [
      "master_mb",
      "images"
     ]
    ]
   ]
  },
  {
   "label": "storage: derivatives",
   "period": "month",
   "terms": [
    [
     2.2999999999999998e-10,
     [
      "image_kb",
      "widths",
      "images",
      "active_percent"
     ]
    ],
    [
     4.14e-07,
     [
      "image_kb",
      "new_images"
     ]
    ]
   ]
  },
  {
   "label": "alarms, metrics, idle queues, keys",
   "period": "month",
   "terms": [
    [
     8.8804834745,
     []
    ]
   ]
  }
 ],
 "rates": {
  "request": 1e-06,
  "functions": 2.0000000000000002e-07,
  "gigabyte": 0.085,
  "miss": 4.0000000000000003e-07,
  "miss_by_function": 2.8910190800781258e-06
 },
 "functions": 2,
 "free": {
  "requests": 10000000,
  "gigabytes": 1000,
  "functions": 2000000
 },
 "levels": [
  {
   "name": "DEFAULT",
   "usd_per_month": 0,
   "requests": 1000000,
   "gigabytes": 100,
   "label": "Free",
   "by_store": false
  },
  {
   "name": "DEFAULT",
   "usd_per_month": 15,
   "requests": 10000000,
   "gigabytes": 50000,
   "label": "Pro",
   "by_store": false
  },
  {
   "name": "DEFAULT",
   "usd_per_month": 200,
   "requests": 125000000,
   "gigabytes": 50000,
   "label": "Business",
   "by_store": false
  },
  {
   "name": "DEFAULT",
   "usd_per_month": 1000,
   "requests": 500000000,
   "gigabytes": 50000,
   "label": "Premium",
   "by_store": true
  },
  {
   "name": "CF_PREMIUM_L2",
   "usd_per_month": 1450,
   "requests": 750000000,
   "gigabytes": 75000,
   "label": "Premium (CF_PREMIUM_L2)",
   "by_store": true
  },
  {
   "name": "CF_PREMIUM_L3",
   "usd_per_month": 2250,
   "requests": 1250000000,
   "gigabytes": 125000,
   "label": "Premium (CF_PREMIUM_L3)",
   "by_store": true
  },
  {
   "name": "CF_PREMIUM_L4",
   "usd_per_month": 3500,
   "requests": 2000000000,
   "gigabytes": 200000,
   "label": "Premium (CF_PREMIUM_L4)",
   "by_store": true
  },
  {
   "name": "CF_PREMIUM_L5",
   "usd_per_month": 6000,
   "requests": 3500000000,
   "gigabytes": 350000,
   "label": "Premium (CF_PREMIUM_L5)",
   "by_store": true
  },
  {
   "name": "CF_PREMIUM_L6",
   "usd_per_month": 10000,
   "requests": 6000000000,
   "gigabytes": 600000,
   "label": "Premium (CF_PREMIUM_L6)",
   "by_store": true
  }
 ]
};
