variable "alerts" {
  description = "Alert recipients (e-mail addresses, and the names of existing notification channels such as projects/P/notificationChannels/N) and thresholds: the share of failing pushes, the minutes that the oldest message of a running subscription waits, and the share of the retention that any message waits."
  type = object({
    channels           = optional(set(string), [])
    emails             = optional(set(string), [])
    failing_push_share = optional(number, 0.05)
    lag_minutes        = optional(number, 15)
    retention_share    = optional(number, 0.8)
  })
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for email in var.alerts.emails : can(regex("^[^@\\s]+@[^@\\s]+$", email))])
    error_message = "alerts.emails are e-mail addresses."
  }
  validation {
    condition     = alltrue([for channel in var.alerts.channels : can(regex("^projects/[^/\\s]+/notificationChannels/[^/\\s]+$", channel))])
    error_message = "alerts.channels are names like projects/P/notificationChannels/N, as gcloud beta monitoring channels list prints them."
  }
  validation {
    condition     = var.alerts.failing_push_share > 0 && var.alerts.failing_push_share < 1
    error_message = "alerts.failing_push_share is more than 0 and less than 1."
  }
  validation {
    condition     = var.alerts.lag_minutes >= 1
    error_message = "alerts.lag_minutes is at least 1."
  }
  validation {
    condition     = var.alerts.retention_share > 0 && var.alerts.retention_share < 1
    error_message = "alerts.retention_share is more than 0 and less than 1: at 1 the messages are gone."
  }
}

variable "budget" {
  description = "A monthly budget of this project on a billing account, in the account's currency unless another is named; null for none. It notifies at 50, 90 and 100 per cent (the first five recipients of alerts, a budget's limit) and stops nothing."
  type = object({
    billing_account = string
    amount          = number
    currency        = optional(string)
  })
  default = null

  validation {
    condition     = var.budget == null || can(regex("^[0-9A-F]{6}-[0-9A-F]{6}-[0-9A-F]{6}$", var.budget.billing_account))
    error_message = "budget.billing_account looks like 012345-ABCDEF-678901."
  }
  validation {
    condition     = var.budget == null || try(var.budget.amount >= 1 && floor(var.budget.amount) == var.budget.amount, false)
    error_message = "budget.amount is a whole number, at least 1."
  }
  validation {
    condition     = try(var.budget.currency == null, true) || can(regex("^[A-Z]{3}$", var.budget.currency))
    error_message = "budget.currency is the billing account's currency as three letters, for example EUR."
  }
}

variable "build" {
  description = "Where Cloud Build runs. region is that of the viewer's image, the module's when null: Google lets some projects build in a few regions only (docs/deployment.md, Regions for builds). The function is always built in the module's region. worker_pool (projects/P/locations/R/workerPools/W) is a private pool for both builds; it sets the region."
  type = object({
    region      = optional(string)
    worker_pool = optional(string)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.build.region == null || can(regex("^[a-z]+-[a-z]+[0-9]+$", var.build.region))
    error_message = "build.region is a region such as europe-west1."
  }
  validation {
    condition     = var.build.worker_pool == null || can(regex("^projects/[^/]+/locations/[^/]+/workerPools/[^/]+$", var.build.worker_pool))
    error_message = "build.worker_pool looks like projects/P/locations/R/workerPools/W."
  }
  validation {
    condition     = var.build.region == null || try(split("/", var.build.worker_pool)[3] == var.build.region, true)
    error_message = "build.region must be the region of build.worker_pool: leave it out, or name that one."
  }
}

variable "deploy" {
  description = "The resources of cloudbuild.yaml: the accounts that plan and apply, the bucket of the state, and, when a repository is named (a 2nd-gen connection's: projects/P/locations/R/connections/C/repositories/X), a trigger that plans pull requests and one that applies the branch after an approval. worker_pool (projects/P/locations/R/workerPools/N) runs both in a private pool, by cloudbuild.pool.yaml. null when you apply by hand."
  type = object({
    state_bucket = string
    branch       = optional(string, "^main$")
    repository   = optional(string)
    worker_pool  = optional(string)
  })
  default = null

  validation {
    condition     = var.deploy == null || try(can(regex("^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$", var.deploy.state_bucket)), false)
    error_message = "deploy.state_bucket is a bucket's name, without gs://."
  }
  validation {
    condition     = var.deploy == null || try(var.deploy.repository == null, true) || can(regex("^projects/[^/]+/locations/[^/]+/connections/[^/]+/repositories/[^/]+$", var.deploy.repository))
    error_message = "deploy.repository looks like projects/P/locations/R/connections/C/repositories/X."
  }
  validation {
    condition     = try(split("/", var.deploy.repository)[3] == var.region, true)
    error_message = "deploy.repository must be connected in the module's region; triggers do not find it in another one."
  }
  validation {
    condition     = var.deploy == null || try(var.deploy.worker_pool == null, true) || can(regex("^projects/[^/]+/locations/${var.region}/workerPools/[^/]+$", var.deploy.worker_pool))
    error_message = "deploy.worker_pool looks like projects/P/locations/R/workerPools/N; R is the module's region, because a build runs in the region of its pool."
  }
}

variable "enable_apis" {
  description = "Whether the apply enables the APIs that it needs. Set it to false where another configuration does that."
  type        = bool
  default     = true
  nullable    = false
}

variable "environment_label" {
  description = "Shown in the viewer's header, for example PROD; empty for none."
  type        = string
  default     = ""
  nullable    = false
}

variable "firestore" {
  description = "The database: whether to create it (false only for Subscope's database that a destroy left), its id (name when null), its location (the region when null), whether it is protected from deletion, the days that a daily backup and the weeks that a weekly one are kept (0 for none), whether each second of the last seven days can be read again (costs storage), and a key in the database's location instead of kms_key. A later change of id, location or key changes nothing: the plan warns."
  type = object({
    create                 = optional(bool, true)
    daily_backup_days      = optional(number, 7)
    database               = optional(string)
    delete_protection      = optional(bool, true)
    kms_key                = optional(string)
    location               = optional(string)
    point_in_time_recovery = optional(bool, false)
    weekly_backup_weeks    = optional(number, 0)
  })
  default  = {}
  nullable = false

  validation {
    condition     = try(var.firestore.database == null, true) || var.firestore.database == "(default)" || can(regex("^[a-z][a-z0-9-]{2,61}[a-z0-9]$", var.firestore.database))
    error_message = "firestore.database is (default), or 4 to 63 lower-case letters, digits and hyphens, beginning with a letter."
  }
  validation {
    condition     = var.firestore.create || var.firestore.database != null
    error_message = "firestore.database must name the existing database when create is false."
  }
  validation {
    # cloud.google.com/firestore/docs/backups: 14 weeks at most.
    condition = alltrue([for kept in [var.firestore.daily_backup_days, var.firestore.weekly_backup_weeks * 7] :
      kept >= 0 && kept <= 98 && floor(kept) == kept
    ]) && floor(var.firestore.weekly_backup_weeks) == var.firestore.weekly_backup_weeks
    error_message = "firestore.daily_backup_days is a whole number from 0 to 98, and weekly_backup_weeks from 0 to 14: Google keeps a backup for 14 weeks at most."
  }
  validation {
    condition     = var.firestore.kms_key == null || can(regex("^projects/[^/]+/locations/[^/]+/keyRings/[^/]+/cryptoKeys/[^/]+$", var.firestore.kms_key))
    error_message = "firestore.kms_key looks like projects/P/locations/L/keyRings/R/cryptoKeys/K, without a version."
  }
}

variable "keep_request_logs" {
  description = "Whether Cloud Logging keeps one line for each stored message. Refusals and failures are always kept. With 100 million messages a day these lines would cost more than any other part except Firestore."
  type        = bool
  default     = false
  nullable    = false
}

variable "kms_key" {
  description = "A Cloud KMS key in the region (projects/P/locations/REGION/keyRings/R/cryptoKeys/K) that encrypts the database, topics, secrets, source code, images and both services; null for Google's keys. Set it before the first apply: the database takes a key only when it is created."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key == null || can(regex("^projects/[^/]+/locations/[^/]+/keyRings/[^/]+/cryptoKeys/[^/]+$", var.kms_key))
    error_message = "kms_key looks like projects/P/locations/REGION/keyRings/R/cryptoKeys/K, without a version."
  }
  validation {
    condition     = try(split("/", var.kms_key)[3] == var.region, true)
    error_message = "kms_key must be in the module's region: Google refuses a key of another location."
  }
}

variable "kms_key_grants" {
  description = "Whether the apply lets Google's service agents use kms_key and firestore.kms_key. Set it to false where the owner of the key grants it, as in docs/deployment.md, A key that you manage."
  type        = bool
  default     = true
  nullable    = false
}

variable "labels" {
  description = "Labels of every resource that can have labels, in addition to `app`."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition = alltrue([for key, value in var.labels :
      can(regex("^[\\p{Ll}\\p{Lo}][\\p{Ll}\\p{Lo}\\p{N}_-]{0,62}$", key)) && can(regex("^[\\p{Ll}\\p{Lo}\\p{N}_-]{0,63}$", value))
    ])
    error_message = "labels are lower-case letters, digits, - and _, at most 63 characters, and a key begins with a letter."
  }
  validation {
    condition     = !contains(keys(var.labels), "app")
    error_message = "The label app is set by the module to its name."
  }
}

variable "links" {
  description = "Links from values of messages to your own pages: an attribute or a data. path, and an address such as `https://admin.example.com/orders/{value}`."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for name in keys(var.links) : can(regex("^[^,\\s=]([^,\n=]*[^,\\s=])?$", name))])
    error_message = "Each name of links is an attribute or a path such as order_id or data.user.id, without commas and =."
  }
  validation {
    condition = length(var.links) <= 20 && alltrue([
      for address in values(var.links) : can(regex("^https://[0-9A-Za-z.-]+(:[0-9]{1,5})?/[^\\s,{}]*[{]value[}][^\\s,{}]*$", address))
    ])
    error_message = "Links are at most 20 addresses such as https://admin.example.com/orders/{value}: https, a fixed host, and {value} once behind the first /."
  }
}

variable "log_level" {
  description = "The least severe event that both services log."
  type        = string
  default     = "INFO"
  nullable    = false

  validation {
    condition     = contains(["DEBUG", "INFO", "NOTICE", "WARNING", "ERROR", "CRITICAL"], var.log_level)
    error_message = "log_level is one of DEBUG, INFO, NOTICE, WARNING, ERROR, CRITICAL."
  }
}

variable "masked_fields" {
  description = "Fields that the role viewer sees as •••: attributes, `ordering_key` and `data.` paths. Operators and admins see them."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for field in var.masked_fields : can(regex("^[^,\\s]([^,]*[^,\\s])?$", field))])
    error_message = "Each of masked_fields is a name such as email or data.card.number, without commas."
  }
  validation {
    condition = alltrue([
      for field in var.masked_fields : alltrue([for step in split(".", field) : step != "" && step != "*"]) if startswith(lower(field), "data.")
    ])
    error_message = "A path of masked_fields names members, like data.card.number; it applies wherever a payload has them."
  }
}

variable "message_shards" {
  description = "Index ranges that new messages spread over; each takes about 500 writes a second. It can be raised at any time, and lowered only after the messages of the higher shards have expired."
  type        = number
  default     = 1
  nullable    = false

  validation {
    condition     = var.message_shards >= 1 && var.message_shards <= 30 && floor(var.message_shards) == var.message_shards
    error_message = "message_shards is a whole number from 1 to 30, the most values of one Firestore query."
  }
}

variable "name" {
  description = "The prefix of the names of all resources."
  type        = string
  default     = "subscope"
  nullable    = false

  validation {
    # Service account ids have at most 30 characters, and "-receiver" is appended.
    condition     = can(regex("^[a-z][a-z0-9-]{0,18}[a-z0-9]$", var.name))
    error_message = "name is 2 to 20 lower-case letters, digits and hyphens, beginning with a letter and not ending with a hyphen."
  }
}

variable "project" {
  description = "The project id. The only value without a default."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project))
    error_message = "project is a project id (not its number or name): 6 to 30 lower-case letters, digits and hyphens."
  }
}

variable "publish_topics" {
  description = "Topics to which operators can publish through the viewer, named as in subscriptions. None by default."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = length(setsubtract(var.publish_topics, [for subscription in var.subscriptions : subscription.topic])) == 0
    error_message = "Each of publish_topics must be the topic of one of the subscriptions, written in the same way."
  }
}

variable "push_audiences" {
  description = "The audiences that the receiver accepts; Start sets the first. When empty, the receiver's address, and with receiver.invoker = \"public\" the name NAME-receiver.PROJECT. Others are needed for a change only."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    # In IAM's check of callers the address of the service is always an audience, and no other is here.
    condition = alltrue([
      for audience in var.push_audiences : var.receiver.invoker == "iam"
      ? can(regex("^https://${var.name}-receiver-[a-z0-9.-]+\\.run\\.app$", audience))
      : can(regex("^[^,'\\s]+$", audience)) && !can(regex("\\.(run\\.app|cloudfunctions\\.net)([/:]|$)", audience))
    ])
    error_message = "push_audiences are addresses of the receiver on run.app, which Cloud Run checks. With receiver.invoker = \"public\" they are names without commas, quotes or spaces, and no addresses of Cloud Run or Cloud Functions, because Cloud Run removes the signatures of such tokens."
  }
}

variable "receiver" {
  description = "The function's size and callers. concurrency over 1 needs a whole cpu; 80 messages in flight fit in 512Mi. invoker is `iam` (Cloud Run lets only Pub/Sub's push account in) or `public` (it lets in every caller of this project's network, which needs a grant to allUsers, and the receiver verifies signatures itself)."
  type = object({
    concurrency   = optional(number, 80)
    cpu           = optional(string, "1")
    invoker       = optional(string, "iam")
    max_instances = optional(number, 10)
    memory        = optional(string, "512Mi")
    min_instances = optional(number, 0)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.receiver.concurrency >= 2 && var.receiver.concurrency <= 1000 && floor(var.receiver.concurrency) == var.receiver.concurrency
    error_message = "receiver.concurrency is a whole number from 2 to 1000: concurrent messages share their Firestore writes."
  }
  validation {
    condition     = contains(keys(local.memory_mib), var.receiver.cpu)
    error_message = "receiver.cpu is 1, 2, 4, 6 or 8; a smaller value does not allow concurrency."
  }
  validation {
    condition = alltrue([
      var.receiver.max_instances >= 1 && floor(var.receiver.max_instances) == var.receiver.max_instances,
      var.receiver.min_instances >= 0 && floor(var.receiver.min_instances) == var.receiver.min_instances,
      var.receiver.min_instances <= var.receiver.max_instances,
    ])
    error_message = "receiver.max_instances is at least 1 and at least min_instances, and both are whole numbers."
  }
  validation {
    condition = try(alltrue([
      for mib in [regex("^([0-9]+)(?:Mi|Gi)$", var.receiver.memory)[0] * (endswith(var.receiver.memory, "Gi") ? 1024 : 1)] :
      mib >= lookup(local.memory_mib, var.receiver.cpu, [128, 32768])[0] && mib <= lookup(local.memory_mib, var.receiver.cpu, [128, 32768])[1]
    ]), false)
    error_message = "receiver.memory is in Mi or Gi, in the range of its cpu: 128Mi to 4Gi with 1, to 8Gi with 2, 2Gi to 16Gi with 4, 4Gi to 24Gi with 6, to 32Gi with 8."
  }
  validation {
    condition     = contains(["iam", "public"], var.receiver.invoker)
    error_message = "receiver.invoker is iam or public."
  }
}

variable "region" {
  description = "Where everything runs. The database is here as well, unless firestore.location is set."
  type        = string
  default     = "europe-west1"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z]+-[a-z]+[0-9]+$", var.region))
    error_message = "region is a region such as europe-west1."
  }
}

variable "retention_days" {
  description = "Days until Firestore deletes a message. Stored messages keep their date."
  type        = number
  default     = 7
  nullable    = false

  validation {
    condition     = var.retention_days >= 1 && var.retention_days <= 3650 && floor(var.retention_days) == var.retention_days
    error_message = "retention_days is a whole number from 1 to 3650."
  }
}

variable "roles" {
  description = "Existing roles instead of the custom ones that are created, each with the permissions listed in docs/deployment.md, Without new accounts and roles: for example roles/datastore.user for receiver and viewer."
  type = object({
    backlog  = optional(string)
    delivery = optional(string)
    planner  = optional(string)
    receiver = optional(string)
    viewer   = optional(string)
  })
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for role in values(var.roles) : role == null || can(regex("^((projects|organizations)/[^/]+/)?roles/[A-Za-z0-9_.]+$", role))])
    error_message = "roles look like roles/datastore.user, projects/P/roles/R or organizations/O/roles/R."
  }
  validation {
    condition     = !anytrue([for role in values(var.roles) : contains(["roles/owner", "roles/editor", "roles/viewer"], coalesce(role, "none"))])
    error_message = "roles are not owner, editor or viewer: these grant far more than Subscope needs."
  }
}

variable "secret_versions" {
  description = "Raise a number to generate a new value. After a new session_key, open forms must be sent again; admin_password is used only until the first user exists."
  type = object({
    admin_password = optional(number, 1)
    session_key    = optional(number, 1)
  })
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for number in values(var.secret_versions) : number >= 1 && floor(number) == number])
    error_message = "secret_versions are whole numbers, at least 1."
  }
}

variable "service_accounts" {
  description = "The e-mail addresses of existing service accounts of this project instead of those that are created, by the part that runs as them."
  type = object({
    build    = optional(string)
    deployer = optional(string)
    planner  = optional(string)
    push     = optional(string)
    receiver = optional(string)
    viewer   = optional(string)
  })
  default  = {}
  nullable = false

  validation {
    # Pub/Sub accepts push accounts of the subscription's project only, and by default so does Cloud Run. Accounts of
    # another project are refused on purpose: the module would grant rights on accounts that are not its project's.
    condition     = alltrue([for email in values(var.service_accounts) : email == null || can(regex("^[a-z0-9-]+@${var.project}\\.iam\\.gserviceaccount\\.com$", email))])
    error_message = "service_accounts are addresses of this project, such as subscope-push@PROJECT.iam.gserviceaccount.com."
  }
  validation {
    # The receiver stores messages, the viewer reads them, and a push token proves only who sent it.
    condition     = length(distinct([for email in values(var.service_accounts) : email if email != null])) == length([for email in values(var.service_accounts) : email if email != null])
    error_message = "service_accounts are different accounts: each part has its own permissions."
  }
}

variable "subscriptions" {
  description = "The monitored subscriptions by id. topic is the id of a topic that is created here, or the full name (projects/P/topics/T) of an existing one. A new subscription is stopped until a user presses Start, unless start_running is true; later only Start and Stop change that. monitor_dead_letters shows the dead letters as a separate subscription, stopped until a user presses Start. Changing topic, filter or ordering replaces the subscription and loses the messages that wait in it."
  type = map(object({
    topic                 = string
    ack_deadline_seconds  = optional(number, 60)
    filter                = optional(string)
    max_delivery_attempts = optional(number, 50)
    monitor_dead_letters  = optional(bool, false)
    ordering              = optional(bool, false)
    retention_days        = optional(number, 7)
    retry_maximum_seconds = optional(number, 300)
    retry_minimum_seconds = optional(number, 1)
    start_running         = optional(bool, false)
  }))
  default  = { builds-monitor = { topic = "builds" } }
  nullable = false

  validation {
    condition     = length(var.subscriptions) > 0
    error_message = "subscriptions names at least one."
  }
  validation {
    # cloud.google.com/pubsub/docs/pubsub-basics#resource_names, without room for the suffix "-dead-letter-monitor", and
    # without %, which the provider does not escape in addresses.
    condition     = alltrue([for id in keys(var.subscriptions) : can(regex("^[A-Za-z][A-Za-z0-9\\-_.~+]{2,230}$", id)) && !startswith(lower(id), "goog")])
    error_message = "Subscription ids are 3 to 231 characters of A-Z a-z 0-9 - _ . ~ +, begin with a letter, and not with goog."
  }
  validation {
    condition     = alltrue([for one in var.subscriptions : can(regex("^(projects/[^/]+/topics/)?[A-Za-z][A-Za-z0-9\\-_.~+]{2,254}$", one.topic))])
    error_message = "topic is a topic's id (without %), or projects/P/topics/T for an existing one."
  }
  validation {
    condition     = !anytrue([for one in var.subscriptions : startswith(lower(one.topic), "goog")])
    error_message = "Google reserves topic ids that begin with goog."
  }
  validation {
    # The module would create them twice, and Pub/Sub would refuse the second one.
    condition = length(setintersection(
      concat(keys(var.subscriptions), [for one in var.subscriptions : one.topic]),
      flatten([for id in keys(var.subscriptions) : ["${id}-dead-letter", "${id}-dead-letter-monitor"]]),
    )) == 0
    error_message = "The module already creates a topic (ID-dead-letter) and a subscription (ID-dead-letter-monitor) for dead letters: set monitor_dead_letters to see them."
  }
  validation {
    # Terraform would not wait for a topic that is named in full.
    condition     = length(setintersection([for one in var.subscriptions : one.topic], [for one in var.subscriptions : "projects/${var.project}/topics/${one.topic}"])) == 0
    error_message = "A topic that is created here must be named by its id everywhere."
  }
  validation {
    # cloud.google.com/pubsub/docs/subscription-message-filter
    condition     = alltrue([for one in var.subscriptions : one.filter == null ? true : length(one.filter) <= 256])
    error_message = "A filter has at most 256 characters."
  }
  validation {
    # The receiver answers within 20 seconds. With a shorter deadline Pub/Sub would deliver a message again while it is
    # being stored.
    condition     = alltrue([for one in var.subscriptions : one.ack_deadline_seconds >= 30 && one.ack_deadline_seconds <= 600 && floor(one.ack_deadline_seconds) == one.ack_deadline_seconds])
    error_message = "ack_deadline_seconds is a whole number from 30 to 600."
  }
  validation {
    condition     = alltrue([for one in var.subscriptions : one.max_delivery_attempts >= 5 && one.max_delivery_attempts <= 100 && floor(one.max_delivery_attempts) == one.max_delivery_attempts])
    error_message = "max_delivery_attempts is a whole number from 5 to 100."
  }
  validation {
    condition     = alltrue([for one in var.subscriptions : one.retention_days >= 1 && one.retention_days <= 31 && floor(one.retention_days) == one.retention_days])
    error_message = "subscriptions' retention_days is a whole number from 1 to 31: Pub/Sub keeps no message for longer."
  }
  validation {
    condition = alltrue([for one in var.subscriptions :
      one.retry_minimum_seconds >= 0 && one.retry_minimum_seconds <= one.retry_maximum_seconds && one.retry_maximum_seconds <= 600
    ])
    error_message = "retry_minimum_seconds and retry_maximum_seconds are from 0 to 600, and the minimum is not larger."
  }
}

variable "viewer" {
  description = "The viewer's size and access: `public` (the sign-in page is open to all), `iap` (members pass Identity-Aware Proxy) or `private` (members only, through gcloud run services proxy on its default port, 8080). ingress says from where it is reachable: `all`, `internal` (the project's networks) or `load_balancer` (a load balancer only; the run.app address is off). addresses are its own domains, such as https://subscope.example.com, the main one first; requests for other hosts get 421. trusted_proxies is the number of proxies that append to X-Forwarded-For; when null, 2 behind a load balancer and otherwise 1."
  type = object({
    access          = optional(string, "public")
    addresses       = optional(list(string), [])
    cpu             = optional(string, "1")
    ingress         = optional(string, "all")
    max_instances   = optional(number, 3)
    max_streams     = optional(number, 250)
    members         = optional(set(string), [])
    memory          = optional(string, "512Mi")
    min_instances   = optional(number, 0)
    trusted_proxies = optional(number)
  })
  default  = {}
  nullable = false

  validation {
    condition     = contains(["public", "iap", "private"], var.viewer.access)
    error_message = "viewer.access is public, iap or private."
  }
  validation {
    condition     = var.viewer.access == "public" || length(var.viewer.members) > 0
    error_message = "viewer.members must name the members with access when access is iap or private, for example group:ops@example.com."
  }
  validation {
    condition     = var.viewer.access != "public" || length(var.viewer.members) == 0
    error_message = "viewer.members have no effect while access is public: use iap or private, or name none."
  }
  validation {
    condition     = alltrue([for member in var.viewer.members : can(regex("^(user|group|domain|serviceAccount|principal|principalSet):.+$", member))])
    error_message = "viewer.members are IAM members such as user:operator@example.com; for open access use access = \"public\"."
  }
  validation {
    # Cloud Run limits an instance to 1000 requests, and pages need some of them beside the streams.
    condition     = var.viewer.max_streams >= 1 && var.viewer.max_streams <= 960 && floor(var.viewer.max_streams) == var.viewer.max_streams
    error_message = "viewer.max_streams is a whole number from 1 to 960."
  }
  validation {
    condition = alltrue([
      var.viewer.max_instances >= 1 && floor(var.viewer.max_instances) == var.viewer.max_instances,
      var.viewer.min_instances >= 0 && floor(var.viewer.min_instances) == var.viewer.min_instances,
      var.viewer.min_instances <= var.viewer.max_instances,
    ])
    error_message = "viewer.max_instances is at least 1 and at least min_instances, and both are whole numbers."
  }
  validation {
    condition = try(alltrue([
      for mib in [regex("^([0-9]+)(?:Mi|Gi)$", var.viewer.memory)[0] * (endswith(var.viewer.memory, "Gi") ? 1024 : 1)] :
      mib >= lookup(local.memory_mib, var.viewer.cpu, [128, 32768])[0] && mib <= lookup(local.memory_mib, var.viewer.cpu, [128, 32768])[1]
    ]), false)
    error_message = "viewer.memory is in Mi or Gi, in the range of its cpu: 128Mi to 4Gi with 1, to 8Gi with 2, 2Gi to 16Gi with 4, 4Gi to 24Gi with 6, to 32Gi with 8."
  }
  validation {
    condition     = contains(keys(local.memory_mib), var.viewer.cpu)
    error_message = "viewer.cpu is 1, 2, 4, 6 or 8; a smaller value does not allow concurrency."
  }
  validation {
    condition     = contains(["all", "internal", "load_balancer"], var.viewer.ingress)
    error_message = "viewer.ingress is all, internal or load_balancer."
  }
  validation {
    condition     = alltrue([for address in var.viewer.addresses : can(regex("^https://[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?$", address))])
    error_message = "viewer.addresses are addresses such as https://subscope.example.com, in lower case and without a path."
  }
  validation {
    condition     = var.viewer.ingress != "load_balancer" || length(var.viewer.addresses) > 0
    error_message = "viewer.addresses must name the load balancer's domain when ingress is load_balancer: the viewer has no run.app address then."
  }
  validation {
    # gcloud run services proxy connects to the run.app address, and replaces the host of each request by it.
    condition     = var.viewer.access != "private" || (var.viewer.ingress != "load_balancer" && length(var.viewer.addresses) == 0)
    error_message = "viewer.access private is for gcloud run services proxy, which needs the run.app address: use iap or public with a load balancer or addresses."
  }
  validation {
    condition     = try(var.viewer.trusted_proxies == null, true) || try(var.viewer.trusted_proxies >= 1 && var.viewer.trusted_proxies <= 9 && floor(var.viewer.trusted_proxies) == var.viewer.trusted_proxies, false)
    error_message = "viewer.trusted_proxies is a whole number from 1 to 9."
  }
  validation {
    condition     = try(var.viewer.trusted_proxies <= 1, true) || var.viewer.ingress == "load_balancer"
    error_message = "viewer.trusted_proxies over 1 needs ingress load_balancer: a client that passes by the load balancer could choose the address that sign-in limits count."
  }
}

variable "viewer_image" {
  description = "The viewer's image by digest, as cloudbuild.yaml passes it. When null, the apply lets Cloud Build make it from this directory, through gcloud on the machine that applies."
  type        = string
  default     = null

  validation {
    condition     = var.viewer_image == null || can(regex("^[^\\s@]+@sha256:[0-9a-f]{64}$", var.viewer_image))
    error_message = "viewer_image is an image by digest: REGION-docker.pkg.dev/P/R/viewer@sha256:…."
  }
}

variable "vpc_access" {
  description = "The network through which both services send their requests (Direct VPC egress): its name or its subnetwork's, network tags, and whether requests to all addresses or only to private ranges pass through it. null for none."
  type = object({
    egress     = optional(string, "private_ranges")
    network    = optional(string)
    subnetwork = optional(string)
    tags       = optional(list(string), [])
  })
  default = null

  validation {
    condition     = var.vpc_access == null || try(coalesce(var.vpc_access.network, var.vpc_access.subnetwork) != "", false)
    error_message = "vpc_access names a network, a subnetwork or both."
  }
  validation {
    condition     = var.vpc_access == null || contains(["all", "private_ranges"], try(var.vpc_access.egress, "all"))
    error_message = "vpc_access.egress is all or private_ranges."
  }
}
