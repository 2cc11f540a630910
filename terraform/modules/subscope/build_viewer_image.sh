#!/bin/sh
# Lets Cloud Build make the viewer's image, and prints the build's log when it fails: gcloud itself shows no log that is
# in Cloud Logging. build.tf and .ci/publish-viewer run it in the repository's root with ACCOUNT, IMAGE, POOL (or nothing),
# PROJECT, REGION, STAGING and SUBSTITUTIONS (more of them, or nothing).
set -u

submit() {
  gcloud builds submit . --quiet --async --format='value(id)' --project="${PROJECT}" --region="${REGION}" \
    --config=terraform/modules/subscope/viewer-image.yaml --ignore-file=.dockerignore \
    --gcs-source-staging-dir="${STAGING}" --service-account="${ACCOUNT}" --substitutions="_IMAGE=${IMAGE}${SUBSTITUTIONS:+,${SUBSTITUTIONS}}" \
    ${POOL:+--worker-pool="${POOL}"}
}

status_of() {
  gcloud builds describe "$1" --project="${PROJECT}" --region="${REGION}" --format='value(status)'
}

build() {
  id=$(submit) || return 1
  echo "Cloud Build makes ${IMAGE}, build ${id}."
  status=$(status_of "${id}") || return 1
  while [ "${status}" = PENDING ] || [ "${status}" = QUEUED ] || [ "${status}" = WORKING ]; do
    sleep 5
    status=$(status_of "${id}") || return 1
  done
  [ "${status}" = SUCCESS ] && return 0
  echo "The build ended with ${status}. Its log:"
  # The last lines of a log arrive some seconds after the build's end.
  sleep 10
  gcloud logging read "resource.type=build AND resource.labels.build_id=${id}" --project="${PROJECT}" \
    --freshness=1d --order=asc --limit=2000 --format='value(textPayload)'
  return 1
}

build && exit 0
echo "The build failed. Its grants can take a minute to be in effect, so it is tried once more in a minute."
sleep 60
build
