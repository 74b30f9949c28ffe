// From a delivery's bytes to the JSON in it. Called by the forges' adapters, after the signature held.
import { type Delivery, MalformedDelivery } from './forge.ts';

/** The JSON a delivery carries, as its body or as the payload field of a form. Throws MalformedDelivery. */
export function readPayload({ headers, body }: Delivery): unknown {
  const text = decode(body);
  return parseJson(isForm(headers) ? payloadField(text) : text);
}

/** Whether the body is a form, by its content type. */
export function isForm(headers: Delivery['headers']): boolean {
  return headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase() === 'application/x-www-form-urlencoded';
}

/** A byte order mark is dropped; bytes that are not UTF-8 are refused, because names would silently change. */
function decode(body: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch (cause) {
    throw new MalformedDelivery('the body is not UTF-8', { cause });
  }
}

function payloadField(text: string): string {
  const [payload, ...more] = new URLSearchParams(text).getAll('payload');
  if (payload === undefined || more.length > 0) {
    throw new MalformedDelivery('the form does not hold exactly one field called payload');
  }
  return payload;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new MalformedDelivery('the body is not JSON', { cause });
  }
}
