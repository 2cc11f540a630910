"""What every request and response passes: headers, compression, errors, confirmation, notices, cookies."""
