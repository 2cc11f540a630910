output "console_environment" {
  value = module.subscope.console_environment
}

output "dead_letters" {
  value = module.subscope.dead_letters
}

output "deployer" {
  value = module.subscope.deployer
}

output "first_password" {
  value = module.subscope.first_password
}

output "planner" {
  value = module.subscope.planner
}

output "receiver_url" {
  value = module.subscope.receiver_url
}

output "service_accounts" {
  value = module.subscope.service_accounts
}

output "smoke_test" {
  value = module.subscope.smoke_test
}

output "viewer_image" {
  value = module.subscope.viewer_image
}

output "viewer_service" {
  value = module.subscope.viewer_service
}

output "viewer_url" {
  value = module.subscope.viewer_url
}
