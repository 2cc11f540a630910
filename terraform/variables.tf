# The module's variables, passed through. modules/subscope/variables.tf describes and checks them and has their defaults:
# null means the module's.

variable "alerts" {
  type    = any
  default = null
}

variable "budget" {
  type    = any
  default = null
}

variable "build" {
  type    = any
  default = null
}

variable "deploy" {
  type    = any
  default = null
}

variable "enable_apis" {
  type    = bool
  default = null
}

variable "environment_label" {
  type    = string
  default = null
}

variable "firestore" {
  type    = any
  default = null
}

variable "keep_request_logs" {
  type    = bool
  default = null
}

variable "kms_key" {
  type    = string
  default = null
}

variable "kms_key_grants" {
  type    = bool
  default = null
}

variable "labels" {
  type    = any
  default = null
}

variable "links" {
  type    = any
  default = null
}

variable "log_level" {
  type    = string
  default = null
}

variable "masked_fields" {
  type    = any
  default = null
}

variable "message_shards" {
  type    = number
  default = null
}

variable "name" {
  type    = string
  default = null
}

variable "project" {
  description = "The project id."
  type        = string
}

variable "publish_topics" {
  type    = any
  default = null
}

variable "push_audiences" {
  type    = any
  default = null
}

variable "receiver" {
  type    = any
  default = null
}

variable "region" {
  type    = string
  default = null
}

variable "retention_days" {
  type    = number
  default = null
}

variable "roles" {
  type    = any
  default = null
}

variable "secret_versions" {
  type    = any
  default = null
}

variable "service_accounts" {
  type    = any
  default = null
}

variable "subscriptions" {
  type    = any
  default = null
}

variable "viewer" {
  type    = any
  default = null
}

variable "viewer_image" {
  type    = string
  default = null
}

variable "vpc_access" {
  type    = any
  default = null
}
