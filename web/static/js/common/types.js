// Types of the data that the server sends, for the type checker. Nothing here runs.

/**
 * A message as the stream and the JSON of a list page have it (web/live/frame_cache.py, web/messages/list_page.py).
 * @typedef {object} StreamMessage
 * @property {string} id
 * @property {string} cursor
 * @property {string} subscription
 * @property {number} deliveries
 * @property {string} html the row, rendered and escaped by the server; empty if that failed
 */

/**
 * The stream's `gone`: a redelivery changed a message, and the filter rejects it now.
 * @typedef {object} GoneEvent
 * @property {string} id
 * @property {number} deliveries
 */

/**
 * The stream's `delivery`, and the answer to Start and Stop (web/delivery/words.py).
 * @typedef {object} DeliveryEvent
 * @property {string} subscription
 * @property {string} state
 * @property {string} word the state, for people
 * @property {string} change what a change to this state is: "stopped delivery of"
 * @property {boolean} is_readable
 * @property {boolean} can_start
 * @property {boolean} can_stop
 * @property {string} changed_by
 * @property {string | null} changed_at
 * @property {string | null} checked_at
 * @property {string[]} [warnings] only in the answer
 */

/**
 * The stream's `feed`: the server's own connection to Firestore (web/live/feed.py).
 * @typedef {object} FeedEvent
 * @property {string} status
 * @property {string | null} since
 */

/**
 * A page of the list, as JSON.
 * @typedef {object} ListPageData
 * @property {StreamMessage[]} rows newest first
 * @property {string | null} newest the cursor to follow from
 * @property {string | null} older the cursor of the next page; null at the end
 * @property {number} looked_at how many messages the search read
 * @property {number} seconds how long it took
 */

/**
 * The backlog of a subscription (web/delivery/backlog.py); null if it is unknown.
 * @typedef {object} Backlog
 * @property {string} words
 * @property {string} as_of
 * @property {string | null} lost_from
 */

/**
 * A subscription on the way of a published message (web/publishing).
 * @typedef {object} PublishedStop
 * @property {string} subscription
 * @property {string} id
 * @property {string} published_at
 * @property {string} received_at empty until the message is stored
 * @property {string} latency
 */

/** @typedef {"connecting" | "live" | "turns" | "reconnecting" | "signed-out"} ConnectionState */

export {};
