"""Firestore's messages as raw protobuf classes.

The proto-plus wrappers take ten times as long for each field, so this package uses the raw classes, which have no
types.
"""

from typing import Any

from google.cloud.firestore_v1.types import common, document, firestore, query, write

# A message of one of these classes. proto-plus creates them during import, so mypy cannot know them.
Pb = Any

Document: Any = document.Document.pb()
Value: Any = document.Value.pb()
ArrayValue: Any = document.ArrayValue.pb()

Write: Any = write.Write.pb()
WriteResult: Any = write.WriteResult.pb()
FieldTransform: Any = write.DocumentTransform.FieldTransform.pb()

StructuredQuery: Any = query.StructuredQuery.pb()
TransactionOptions: Any = common.TransactionOptions.pb()

BatchGetDocumentsRequest: Any = firestore.BatchGetDocumentsRequest.pb()
BatchGetDocumentsResponse: Any = firestore.BatchGetDocumentsResponse.pb()
BatchWriteRequest: Any = firestore.BatchWriteRequest.pb()
BatchWriteResponse: Any = firestore.BatchWriteResponse.pb()
BeginTransactionRequest: Any = firestore.BeginTransactionRequest.pb()
BeginTransactionResponse: Any = firestore.BeginTransactionResponse.pb()
CommitRequest: Any = firestore.CommitRequest.pb()
CommitResponse: Any = firestore.CommitResponse.pb()
CreateDocumentRequest: Any = firestore.CreateDocumentRequest.pb()
DeleteDocumentRequest: Any = firestore.DeleteDocumentRequest.pb()
GetDocumentRequest: Any = firestore.GetDocumentRequest.pb()
ListCollectionIdsRequest: Any = firestore.ListCollectionIdsRequest.pb()
ListCollectionIdsResponse: Any = firestore.ListCollectionIdsResponse.pb()
ListDocumentsRequest: Any = firestore.ListDocumentsRequest.pb()
ListDocumentsResponse: Any = firestore.ListDocumentsResponse.pb()
ListenRequest: Any = firestore.ListenRequest.pb()
ListenResponse: Any = firestore.ListenResponse.pb()
RollbackRequest: Any = firestore.RollbackRequest.pb()
RunAggregationQueryRequest: Any = firestore.RunAggregationQueryRequest.pb()
RunAggregationQueryResponse: Any = firestore.RunAggregationQueryResponse.pb()
RunQueryRequest: Any = firestore.RunQueryRequest.pb()
RunQueryResponse: Any = firestore.RunQueryResponse.pb()
Target: Any = firestore.Target.pb()
TargetChange: Any = firestore.TargetChange.pb()
UpdateDocumentRequest: Any = firestore.UpdateDocumentRequest.pb()
