declare const brand: unique symbol

/** A `T` that has passed the grammar named `Name`. Only that grammar's parser makes one. */
export type Brand<T, Name extends string> = T & { readonly [brand]: Name }
