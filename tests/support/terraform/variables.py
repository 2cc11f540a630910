"""The variables of the plans that several tests read, as the content of a tfvars file."""

from tests.support.terraform.runner import PROJECT

EVERYTHING = f"""
project        = "{PROJECT}"
message_shards = 4
masked_fields  = ["email", "data.card.number"]
links = {{ "data.user.id" = "https://crm.example.com/?user={{value}}", order_id = "https://example.com/{{value}}" }}
publish_topics = ["orders"]
subscriptions = {{
  events = {{ topic = "projects/elsewhere/topics/events", monitor_dead_letters = true }}
  orders = {{ topic = "orders", filter = "attributes.kind = \\"order\\"", ordering = true, retention_days = 31 }}
}}
viewer = {{ access = "iap", members = ["group:ops@example.com"] }}
alerts = {{ emails = ["ops@example.com"] }}
budget = {{ billing_account = "012345-ABCDEF-678901", amount = 100 }}
deploy = {{
  state_bucket = "my-state"
  repository   = "projects/{PROJECT}/locations/europe-west1/connections/github/repositories/subscope"
}}
firestore         = {{ delete_protection = false, location = "eur3" }}
keep_request_logs = true
"""
PRIVATE = f"""
project = "{PROJECT}"
viewer  = {{ access = "private", members = ["user:operator@example.com"] }}

firestore = {{ daily_backup_days = 0 }}
"""
KEY = "projects/keys/locations/europe-west1/keyRings/ring/cryptoKeys/key"
# A company with a key, a load balancer, a network, and accounts and roles that exist.
COMPANY = f"""
project        = "{PROJECT}"
enable_apis    = false
kms_key        = "{KEY}"
labels         = {{ team = "ops" }}
alerts         = {{ emails = ["ops@example.com"] }}
firestore      = {{ daily_backup_days = 14, weekly_backup_weeks = 4, point_in_time_recovery = true }}
subscriptions  = {{ orders = {{ topic = "orders", start_running = true }} }}
publish_topics = ["orders"]
deploy = {{
  state_bucket = "my-state"
  repository   = "projects/{PROJECT}/locations/europe-west1/connections/github/repositories/subscope"
}}
viewer = {{
  access    = "iap"
  addresses = ["https://subscope.example.com", "https://monitor.example.com"]
  ingress   = "load_balancer"
  members   = ["group:ops@example.com"]
}}
vpc_access = {{ network = "shared", subnetwork = "services", egress = "all", tags = ["subscope"] }}
roles = {{
  backlog  = "roles/monitoring.viewer"
  delivery = "roles/pubsub.editor"
  receiver = "roles/datastore.user"
  viewer   = "roles/datastore.user"
}}
service_accounts = {{
  build    = "ci-build@{PROJECT}.iam.gserviceaccount.com"
  deployer = "ci-apply@{PROJECT}.iam.gserviceaccount.com"
  planner  = "ci-plan@{PROJECT}.iam.gserviceaccount.com"
  push     = "our-push@{PROJECT}.iam.gserviceaccount.com"
  receiver = "our-receiver@{PROJECT}.iam.gserviceaccount.com"
  viewer   = "our-viewer@{PROJECT}.iam.gserviceaccount.com"
}}
"""
