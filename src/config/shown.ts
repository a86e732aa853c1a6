// What a line of error may show of a value. A person mistypes a URL, or puts a secret where something else belongs, so
// what does not parse is shown only as far as no password can stand there.

/** Text on one line. */
export function showText(text: string): string {
  return JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}…` : text)
}

/** A URL without user, password, query and fragment. */
export function showUrl(text: string): string | undefined {
  const isPath = /^(?:(?:sqlite|file):.*|[^:=@?#\s]*)$/s.test(text)
  if (isPath) return showText(text)
  const [, scheme, rest = ''] = /^([a-z][a-z0-9+.-]*:\/\/)(.*)$/is.exec(text) ?? []
  if (scheme === undefined) return undefined
  // A password with a slash, say, that nobody encoded: the URL's host and path are then pieces of it.
  const endsEarly = /[/?#].*@/s.test(rest)
  if (endsEarly || !URL.canParse(text)) return showText(`${scheme}…`)
  return showText(scheme + rest.replace(/^[^/?#]*@/, '…@').replace(/[?#].*$/s, '?…'))
}

/** Several hosts or URLs. Nothing where one may hold a user and a password. */
export function showUrls(text: string): string | undefined {
  return text.includes('@') ? undefined : showText(text)
}

/** Nothing at all. */
export function showNothing(): undefined {}
