variable "alerts" {
  description = "Who is told (e-mail addresses), and from when on: the share of failing pushes, the minutes that the oldest message of a running subscription may wait, and the share of the retention that a message may wait at all."
  type = object({
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
  description = "A monthly budget of this project on a billing account, in the account's own currency unless one is named; null for none. It warns at 50, 90 and 100 per cent (the first five of alerts.emails, which is all that a budget takes) and stops nothing."
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
    error_message = "budget.currency is the billing account's, by its three letters: EUR."
  }
}

variable "deploy" {
  description = "What cloudbuild.yaml needs: the accounts that plan and apply, the bucket of the state, and, when a repository is named (a 2nd-gen connection's: projects/P/locations/R/connections/C/repositories/X), a trigger that plans pull requests and one that applies the branch after an approval. null when you apply by hand."
  type = object({
    state_bucket = string
    branch       = optional(string, "^main$")
    repository   = optional(string)
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
    error_message = "deploy.repository is connected in another region than the module's, where its triggers do not find it."
  }
}

variable "environment_label" {
  description = "Shown in the viewer's header, for example PROD; empty for none."
  type        = string
  default     = ""
  nullable    = false
}

variable "firestore" {
  description = "The database: whether to create it (no for Subscope's own that a destroy left; beside any other, name a new one), its id, its location (the region when null; a database stays where it was made, whatever is said later), whether it may not be deleted, and whether each second of the last seven days can be read again (costs storage)."
  type = object({
    create                 = optional(bool, true)
    database               = optional(string, "(default)")
    delete_protection      = optional(bool, true)
    location               = optional(string)
    point_in_time_recovery = optional(bool, false)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.firestore.database == "(default)" || can(regex("^[a-z][a-z0-9-]{2,61}[a-z0-9]$", var.firestore.database))
    error_message = "firestore.database is (default), or 4 to 63 small letters, digits and hyphens, a letter first."
  }
}

variable "keep_request_logs" {
  description = "Whether Cloud Logging keeps one line for each stored message. Refusals and failures are always kept; with 100 million messages a day the rest would cost more than all else but Firestore."
  type        = bool
  default     = false
  nullable    = false
}

variable "labels" {
  description = "Labels of everything that can have labels, besides `app`."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition = alltrue([for key, value in var.labels :
      can(regex("^[\\p{Ll}\\p{Lo}][\\p{Ll}\\p{Lo}\\p{N}_-]{0,62}$", key)) && can(regex("^[\\p{Ll}\\p{Lo}\\p{N}_-]{0,63}$", value))
    ])
    error_message = "labels are small letters, digits, - and _, at most 63 of them, and a key begins with a letter."
  }
  validation {
    condition     = !contains(keys(var.labels), "app")
    error_message = "The label app is the module's own, and says its name."
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
  description = "What the role viewer sees as •••: attributes, `ordering_key` and `data.` paths. Operators and admins see it."
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
    error_message = "A path of masked_fields names members, as data.card.number does; it holds wherever a payload has them."
  }
}

variable "message_shards" {
  description = "Index ranges that new messages spread over; each takes about 500 writes a second. It can be raised later, and not lowered before the messages of the higher shards have expired."
  type        = number
  default     = 1
  nullable    = false

  validation {
    condition     = var.message_shards >= 1 && var.message_shards <= 30 && floor(var.message_shards) == var.message_shards
    error_message = "message_shards is a whole number from 1 to 30, which is what one Firestore query can ask for."
  }
}

variable "name" {
  description = "The prefix of everything that is created."
  type        = string
  default     = "subscope"
  nullable    = false

  validation {
    # Service account ids have at most 30 characters, and "-receiver" comes after this.
    condition     = can(regex("^[a-z][a-z0-9-]{0,18}[a-z0-9]$", var.name))
    error_message = "name is 2 to 20 small letters, digits and hyphens, a letter first and no hyphen last."
  }
}

variable "project" {
  description = "The project id. The only value without a default."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project))
    error_message = "project is a project id (not its number or name): 6 to 30 small letters, digits and hyphens."
  }
}

variable "publish_topics" {
  description = "Topics to which people may publish through the viewer, named as in subscriptions. None unless named here."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = length(setsubtract(var.publish_topics, [for subscription in var.subscriptions : subscription.topic])) == 0
    error_message = "Each of publish_topics is the topic of one of the subscriptions, written the same way."
  }
}

variable "push_audiences" {
  description = "The audiences that the receiver accepts; Start sets the first. When empty, a name of this receiver's own (NAME-receiver.PROJECT). Never its address: Cloud Run removes the signature of such tokens."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for audience in var.push_audiences : can(regex("^[^,'\\s]+$", audience)) && !can(regex("\\.(run\\.app|cloudfunctions\\.net)([/:]|$)", audience))])
    error_message = "push_audiences have no commas, quotes or blanks, and are no address of Cloud Run's or Cloud Functions'."
  }
}

variable "receiver" {
  description = "The function's size, and who lets its callers in. concurrency over 1 needs a whole cpu; 80 messages in flight fit in 512Mi. all_users grants allUsers the right to call it, from inside the project's network only; where an organisation forbids that, say false and follow README.md, Organisations that forbid allUsers."
  type = object({
    all_users     = optional(bool, true)
    concurrency   = optional(number, 80)
    cpu           = optional(string, "1")
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
    error_message = "receiver.cpu is 1, 2, 4, 6 or 8: less does not allow concurrency."
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
    error_message = "receiver.memory is in Mi or Gi, as much as its cpu goes with: 128Mi to 4Gi with 1, to 8Gi with 2, 2Gi to 16Gi with 4, 4Gi to 24Gi with 6, to 32Gi with 8."
  }
}

variable "region" {
  description = "Where everything runs, and the database when it has no location of its own."
  type        = string
  default     = "europe-west1"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z]+-[a-z]+[0-9]+$", var.region))
    error_message = "region is a region such as europe-west1."
  }
}

variable "retention_days" {
  description = "Days until Firestore deletes a message; those stored already keep what they had."
  type        = number
  default     = 7
  nullable    = false

  validation {
    condition     = var.retention_days >= 1 && var.retention_days <= 3650 && floor(var.retention_days) == var.retention_days
    error_message = "retention_days is a whole number from 1 to 3650."
  }
}

variable "secret_versions" {
  description = "Raise one of them to make a new value: session_key ends what people are typing into forms, admin_password only counts before there is a first user."
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

variable "subscriptions" {
  description = "The monitored subscriptions by id. topic is a topic's id, which is created here, or the full name (projects/P/topics/T) of one that exists. A new subscription waits for somebody to press Start unless start_running; later only Start and Stop decide. monitor_dead_letters shows its dead letters as a subscription of their own, stopped until somebody presses Start. Changing topic, filter or ordering makes a new subscription without the old one's messages."
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
    # cloud.google.com/pubsub/docs/pubsub-basics#resource_names, less "-dead-letter-monitor", which comes after it, and
    # less %, which the provider's addresses do not escape.
    condition     = alltrue([for id in keys(var.subscriptions) : can(regex("^[A-Za-z][A-Za-z0-9\\-_.~+]{2,230}$", id)) && !startswith(lower(id), "goog")])
    error_message = "Subscription ids are 3 to 231 of A-Z a-z 0-9 - _ . ~ +, a letter first, and not goog…."
  }
  validation {
    condition     = alltrue([for one in var.subscriptions : can(regex("^(projects/[^/]+/topics/)?[A-Za-z][A-Za-z0-9\\-_.~+]{2,254}$", one.topic))])
    error_message = "topic is a topic's id (with no %), or projects/P/topics/T for one that exists."
  }
  validation {
    condition     = !anytrue([for one in var.subscriptions : startswith(lower(one.topic), "goog")])
    error_message = "Google keeps topics whose id begins with goog for itself."
  }
  validation {
    # The module would make them twice, and Pub/Sub refuses the second one.
    condition = length(setintersection(
      concat(keys(var.subscriptions), [for one in var.subscriptions : one.topic]),
      flatten([for id in keys(var.subscriptions) : ["${id}-dead-letter", "${id}-dead-letter-monitor"]]),
    )) == 0
    error_message = "Dead letters have their topic (ID-dead-letter) and subscription (ID-dead-letter-monitor) already: monitor_dead_letters shows them."
  }
  validation {
    # By its full name it would not be waited for.
    condition     = length(setintersection([for one in var.subscriptions : one.topic], [for one in var.subscriptions : "projects/${var.project}/topics/${one.topic}"])) == 0
    error_message = "A topic that is created here is named by its id everywhere."
  }
  validation {
    # cloud.google.com/pubsub/docs/subscription-message-filter
    condition     = alltrue([for one in var.subscriptions : one.filter == null ? true : length(one.filter) <= 256])
    error_message = "A filter has at most 256 characters."
  }
  validation {
    # The receiver answers within 20 seconds; a shorter deadline would deliver again what is being stored.
    condition     = alltrue([for one in var.subscriptions : one.ack_deadline_seconds >= 30 && one.ack_deadline_seconds <= 600 && floor(one.ack_deadline_seconds) == one.ack_deadline_seconds])
    error_message = "ack_deadline_seconds is a whole number from 30 to 600."
  }
  validation {
    condition     = alltrue([for one in var.subscriptions : one.max_delivery_attempts >= 5 && one.max_delivery_attempts <= 100 && floor(one.max_delivery_attempts) == one.max_delivery_attempts])
    error_message = "max_delivery_attempts is a whole number from 5 to 100."
  }
  validation {
    condition     = alltrue([for one in var.subscriptions : one.retention_days >= 1 && one.retention_days <= 31 && floor(one.retention_days) == one.retention_days])
    error_message = "subscriptions' retention_days is a whole number from 1 to 31: Pub/Sub keeps no message longer."
  }
  validation {
    condition = alltrue([for one in var.subscriptions :
      one.retry_minimum_seconds >= 0 && one.retry_minimum_seconds <= one.retry_maximum_seconds && one.retry_maximum_seconds <= 600
    ])
    error_message = "retry_minimum_seconds and retry_maximum_seconds are 0 to 600, the minimum first."
  }
}

variable "viewer" {
  description = "The viewer's size, and who reaches it: `public` (everybody reaches the sign-in page), `iap` (members pass Identity-Aware Proxy; the project must be in an organisation) or `private` (members only, through gcloud run services proxy on its own port, 8080)."
  type = object({
    access        = optional(string, "public")
    cpu           = optional(string, "1")
    max_instances = optional(number, 3)
    max_streams   = optional(number, 250)
    members       = optional(set(string), [])
    memory        = optional(string, "512Mi")
    min_instances = optional(number, 0)
  })
  default  = {}
  nullable = false

  validation {
    condition     = contains(["public", "iap", "private"], var.viewer.access)
    error_message = "viewer.access is public, iap or private."
  }
  validation {
    condition     = var.viewer.access == "public" || length(var.viewer.members) > 0
    error_message = "viewer.members names who may come in when access is iap or private, for example group:ops@example.com."
  }
  validation {
    condition     = var.viewer.access != "public" || length(var.viewer.members) == 0
    error_message = "viewer.members keep nobody out while access is public: say iap or private, or name none."
  }
  validation {
    condition     = alltrue([for member in var.viewer.members : can(regex("^(user|group|domain|serviceAccount|principal|principalSet):.+$", member))])
    error_message = "viewer.members are IAM members such as user:ana@example.com; everybody at all is access = \"public\"."
  }
  validation {
    # Cloud Run gives an instance 1000 requests at most, and pages need some beside the streams.
    condition     = var.viewer.max_streams >= 1 && var.viewer.max_streams <= 984 && floor(var.viewer.max_streams) == var.viewer.max_streams
    error_message = "viewer.max_streams is a whole number from 1 to 984."
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
    error_message = "viewer.memory is in Mi or Gi, as much as its cpu goes with: 128Mi to 4Gi with 1, to 8Gi with 2, 2Gi to 16Gi with 4, 4Gi to 24Gi with 6, to 32Gi with 8."
  }
  validation {
    condition     = contains(keys(local.memory_mib), var.viewer.cpu)
    error_message = "viewer.cpu is 1, 2, 4, 6 or 8: less does not allow concurrency."
  }
}

variable "viewer_image" {
  description = "The viewer's image by digest, as cloudbuild.yaml passes it. When null, the apply has Cloud Build make it from this directory, through gcloud on the machine that applies."
  type        = string
  default     = null

  validation {
    condition     = var.viewer_image == null || can(regex("^[^\\s@]+@sha256:[0-9a-f]{64}$", var.viewer_image))
    error_message = "viewer_image is an image by digest: REGION-docker.pkg.dev/P/R/viewer@sha256:…."
  }
}
