/** Which calls only read, by the names that AWS gives its operations. */
const readOnlyName = /^(?:Get|List|Describe|BatchGet|BatchCheck|Lookup|Explain|Simulate|TestEventPattern|AssumeRole)/

/** CloudTrail calls taking on a role a read too. */
export function isReadOnly(name: string): boolean {
  return readOnlyName.test(name)
}

/** Of a read nobody keeps the answer, but that of one which gives credentials: it tells whose key a later call was signed with. */
export function keepsResponse(name: string): boolean {
  return !isReadOnly(name) || opensSession(name)
}

/** Which calls are answered with credentials that sign further calls. */
export function opensSession(name: string): boolean {
  return /^(?:AssumeRole|GetSessionToken)/.test(name)
}
