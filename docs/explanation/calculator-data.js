// Written by `make alarms` (bench/cost/calculator.py). Do not edit.
const MODEL = {
 "read": "2026-11-25",
 "plans_read": "2026-09-05",
 "tasks_read": "2026-03-10",
 "inputs": [
  {
   "name": "images",
   "label": "images",
   "default": 2000000,
   "largest": 10000000000.0,
   "title": "",
   "units": []
  },
  {
   "name": "new_images",
   "label": "new images a month",
   "default": 20000,
   "largest": 1000000000.0,
   "title": "",
   "units": []
  },
  {
   "name": "master_mb",
   "label": "MB of an upload, on average",
   "default": 2.3,
   "largest": 10000.0,
   "title": "",
   "units": []
  },
  {
   "name": "views",
   "label": "views a month",
   "default": 50000000,
   "largest": 1000000000000.0,
   "title": "views",
   "units": [
    {
     "name": "views",
     "label": "views a month",
     "factor": 1.0,
     "shared": false
    },
    {
     "name": "requests_a_second",
     "label": "requests a second",
     "factor": 2628000.0,
     "shared": false
    }
   ]
  },
  {
   "name": "image_kb",
   "label": "kB of a delivered image, on average",
   "default": 77,
   "largest": 100000.0,
   "title": "delivery",
   "units": [
    {
     "name": "image_kb",
     "label": "kB an image",
     "factor": 1.0,
     "shared": false
    },
    {
     "name": "delivery_gb",
     "label": "GB a month",
     "factor": 1000000.0,
     "shared": true
    },
    {
     "name": "delivery_tb",
     "label": "TB a month",
     "factor": 1000000000.0,
     "shared": true
    }
   ]
  },
  {
   "name": "miss_percent",
   "label": "percent of the views that the CDN does not have",
   "default": 10,
   "largest": 100,
   "title": "",
   "units": []
  },
  {
   "name": "active_percent",
   "label": "percent of the images that are viewed within three months",
   "default": 25,
   "largest": 100,
   "title": "",
   "units": []
  },
  {
   "name": "widths",
   "label": "derivatives of such an image that are requested",
   "default": 4,
   "largest": 1000.0,
   "title": "",
   "units": []
  },
  {
   "name": "endpoint_hours",
   "label": "hours a month of endpoint instances (ml.g4dn.xlarge)",
   "default": 0,
   "largest": 100000.0,
   "title": "",
   "units": []
  }
 ],
 "lines": [
  {
   "label": "ingest of the images, copied from another bucket",
   "period": "once",
   "terms": [
    [
     "compute",
     2.3537268421047794e-05,
     [
      "images"
     ]
    ],
    [
     "requests",
     5.288100000000001e-05,
     [
      "images"
     ]
    ]
   ],
   "in_offer": false
  },
  {
   "label": "CDN: requests and edge functions",
   "period": "month",
   "terms": [
    [
     "requests",
     1.2e-06,
     [
      "views"
     ]
    ]
   ],
   "in_offer": true
  },
  {
   "label": "CDN: delivery",
   "period": "month",
   "terms": [
    [
     "delivery",
     8.500000000000001e-08,
     [
      "image_kb",
      "views"
     ]
    ]
   ],
   "in_offer": true
  },
  {
   "label": "misses: reads of stored derivatives",
   "period": "month",
   "terms": [
    [
     "requests",
     4e-09,
     [
      "views",
      "miss_percent"
     ]
    ]
   ],
   "in_offer": true
  },
  {
   "label": "misses: renders, each stored for three months",
   "period": "month",
   "terms": [
    [
     "compute",
     7.295533005260416e-09,
     [
      "images",
      "active_percent",
      "widths"
     ]
    ],
    [
     "requests",
     2.5333333333333335e-08,
     [
      "images",
      "active_percent",
      "widths"
     ]
    ],
    [
     "compute",
     2.188659901578125e-06,
     [
      "new_images",
      "widths"
     ]
    ],
    [
     "requests",
     7.600000000000001e-06,
     [
      "new_images",
      "widths"
     ]
    ]
   ],
   "in_offer": false
  },
  {
   "label": "ingest of new images, with their presets",
   "period": "month",
   "terms": [
    [
     "compute",
     2.1578925296047793e-05,
     [
      "new_images"
     ]
    ],
    [
     "requests",
     4.5681000000000005e-05,
     [
      "new_images"
     ]
    ]
   ],
   "in_offer": false
  },
  {
   "label": "storage: masters and mezzanines",
   "period": "month",
   "terms": [
    [
     "storage",
     3.160271847835937e-05,
     [
      "master_mb",
      "images"
     ]
    ]
   ],
   "in_offer": false
  },
  {
   "label": "storage: derivatives",
   "period": "month",
   "terms": [
    [
     "storage",
     2.2999999999999998e-10,
     [
      "image_kb",
      "images",
      "active_percent",
      "widths"
     ]
    ],
    [
     "storage",
     4.14e-07,
     [
      "image_kb",
      "new_images"
     ]
    ]
   ],
   "in_offer": false
  },
  {
   "label": "alarms, metrics, idle queues, keys",
   "period": "month",
   "terms": [
    [
     "compute",
     0.0949004745,
     []
    ],
    [
     "requests",
     0.851983,
     []
    ],
    [
     "storage",
     0.4,
     []
    ],
    [
     "monitoring",
     7.5336,
     []
    ]
   ],
   "in_offer": false
  },
  {
   "label": "endpoint",
   "period": "month",
   "terms": [
    [
     "endpoint",
     0.7364,
     [
      "endpoint_hours"
     ]
    ]
   ],
   "in_offer": false
  }
 ],
 "rates": {
  "request": 1e-06,
  "functions": 2.0000000000000002e-07,
  "gigabyte": 0.085,
  "miss": 4.0000000000000003e-07,
  "miss_by_function": 2.8910190800781258e-06,
  "miss_compute": 6.91019080078125e-07
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
 ],
 "parts": [
  "compute",
  "requests",
  "storage",
  "delivery",
  "monitoring",
  "endpoint",
  "plan"
 ],
 "no_price": "no public price",
 "services": [
  {
   "name": "Darkroom",
   "terms": [
    [
     "compute",
     7.295533005260416e-09,
     [
      "images",
      "active_percent",
      "widths"
     ]
    ],
    [
     "requests",
     2.5333333333333335e-08,
     [
      "images",
      "active_percent",
      "widths"
     ]
    ],
    [
     "compute",
     2.188659901578125e-06,
     [
      "new_images",
      "widths"
     ]
    ],
    [
     "requests",
     7.600000000000001e-06,
     [
      "new_images",
      "widths"
     ]
    ],
    [
     "compute",
     2.1578925296047793e-05,
     [
      "new_images"
     ]
    ],
    [
     "requests",
     4.5681000000000005e-05,
     [
      "new_images"
     ]
    ],
    [
     "storage",
     3.160271847835937e-05,
     [
      "master_mb",
      "images"
     ]
    ],
    [
     "storage",
     2.2999999999999998e-10,
     [
      "image_kb",
      "images",
      "active_percent",
      "widths"
     ]
    ],
    [
     "storage",
     4.14e-07,
     [
      "image_kb",
      "new_images"
     ]
    ],
    [
     "compute",
     0.0949004745,
     []
    ],
    [
     "requests",
     0.851983,
     []
    ],
    [
     "storage",
     0.4,
     []
    ],
    [
     "monitoring",
     7.5336,
     []
    ],
    [
     "endpoint",
     0.7364,
     [
      "endpoint_hours"
     ]
    ]
   ],
   "reads": 1
  },
  {
   "name": "AWS's own",
   "terms": [
    [
     "compute",
     4.009999999999999e-08,
     [
      "views",
      "miss_percent"
     ]
    ],
    [
     "requests",
     4.0999999999999997e-08,
     [
      "views",
      "miss_percent"
     ]
    ],
    [
     "storage",
     2.3e-05,
     [
      "master_mb",
      "images"
     ]
    ]
   ],
   "reads": 0
  },
  {
   "name": "imgproxy on Fargate",
   "terms": [
    [
     "storage",
     2.3e-05,
     [
      "master_mb",
      "images"
     ]
    ]
   ],
   "reads": 0,
   "tasks": {
    "task": 28.835,
    "balancer": 16.425,
    "lcu": 0.008,
    "read": 4.0000000000000003e-07,
    "per_miss": 5.390664637239981e-08,
    "smallest": 2,
    "connections": 90000
   }
  },
  {
   "name": "Cloudinary",
   "terms": [],
   "credits": [
    [
     "credits",
     1e-06,
     [
      "image_kb",
      "views"
     ]
    ],
    [
     "credits",
     1e-08,
     [
      "image_kb",
      "images",
      "active_percent",
      "widths"
     ]
    ],
    [
     "credits",
     0.001,
     [
      "new_images",
      "widths"
     ]
    ],
    [
     "credits",
     0.001,
     [
      "master_mb",
      "images"
     ]
    ]
   ],
   "plans": [
    {
     "name": "Free",
     "usd_per_month": 0,
     "credits": 25
    },
    {
     "name": "Plus",
     "usd_per_month": 99,
     "credits": 225
    },
    {
     "name": "Advanced",
     "usd_per_month": 249,
     "credits": 600
    }
   ],
   "page": "https://cloudinary.com/pricing",
   "read": "2026-10-05"
  },
  {
   "name": "imgix",
   "terms": [
    [
     "storage",
     2.3e-05,
     [
      "master_mb",
      "images"
     ]
    ],
    [
     "requests",
     1.3333333333333333e-09,
     [
      "images",
      "active_percent",
      "widths"
     ]
    ],
    [
     "requests",
     4.0000000000000003e-07,
     [
      "new_images",
      "widths"
     ]
    ]
   ],
   "credits": [
    [
     "credits",
     1e-06,
     [
      "image_kb",
      "views"
     ]
    ],
    [
     "credits",
     2e-08,
     [
      "image_kb",
      "images",
      "active_percent",
      "widths"
     ]
    ],
    [
     "credits",
     0.002,
     [
      "new_images",
      "widths"
     ]
    ],
    [
     "credits",
     6.666666666666667e-06,
     [
      "images",
      "active_percent",
      "widths"
     ]
    ],
    [
     "credits",
     1e-08,
     [
      "image_kb",
      "views",
      "miss_percent"
     ]
    ]
   ],
   "plans": [
    {
     "name": "Starter",
     "usd_per_month": 25,
     "credits": 100
    },
    {
     "name": "Basic",
     "usd_per_month": 75,
     "credits": 375
    },
    {
     "name": "Midrange",
     "usd_per_month": 150,
     "credits": 830
    },
    {
     "name": "Growth",
     "usd_per_month": 300,
     "credits": 1875
    },
    {
     "name": "Growth Plus",
     "usd_per_month": 500,
     "credits": 3570
    }
   ],
   "page": "https://www.imgix.com/pricing",
   "read": "2026-10-05"
  }
 ]
};
