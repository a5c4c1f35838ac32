using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

namespace Darkroom
{
    /// <summary>
    /// Signs URLs of one deployment, with the <c>current</c> key of the secret SigningKeysArn
    /// (docs/reference/signatures.md).
    /// </summary>
    public sealed class Signer
    {
        private static readonly string[] Refused = { "", ".", "..", "_" };
        private static readonly string[] NotDerived = { "image", "upload-token" };
        private const string Unreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

        private readonly string _base;
        private readonly byte[] _key;

        /// <param name="baseUrl">The CDN's address, such as https://images.example.com; empty for paths.</param>
        /// <param name="key">The signing key.</param>
        public Signer(string baseUrl, string key)
        {
            if (string.IsNullOrEmpty(key))
            {
                throw new ArgumentException("The signing key is empty", nameof(key));
            }
            _base = baseUrl.TrimEnd('/');
            _key = Encoding.UTF8.GetBytes(key);
        }

        /// <summary>Returns the signed URL of an image.</summary>
        /// <param name="image">The image's key, not percent-encoded, such as trips/rome.jpg.</param>
        /// <param name="options">Options by their short or long names.</param>
        /// <param name="expires">The end of the link.</param>
        /// <exception cref="ArgumentException">The key cannot name an image.</exception>
        public string Url(string image, IReadOnlyDictionary<string, object> options = null, DateTimeOffset? expires = null)
        {
            var query = Query(options ?? new Dictionary<string, object>());
            return _base + Sign(query == "" ? Path(image) : Path(image) + "?" + query, expires);
        }

        /// <summary>
        /// Returns the signed URL by which the extension <c>name</c> serves an image (<c>&lt;key&gt;/_/&lt;name&gt;</c>).
        /// </summary>
        /// <exception cref="ArgumentException">The key cannot name an image.</exception>
        public string Extension(
            string image,
            string name,
            IReadOnlyDictionary<string, object> options = null,
            DateTimeOffset? expires = null)
        {
            var path = Path(image);
            Check(path);
            var target = WithoutEscapes(path) + "/_/" + name;
            var query = Query(options ?? new Dictionary<string, object>());
            return _base + SignText(query == "" ? target : target + "?" + query, expires);
        }

        /// <summary>Returns a path with its query, percent-encoded, with its signature.</summary>
        public string Sign(string target, DateTimeOffset? expires = null)
        {
            Check(target.Split('?')[0]);
            return SignText(target, expires);
        }

        /// <summary>Returns the signature of a text, which is signed as it is.</summary>
        /// <param name="text">The text; that of an image begins with a slash.</param>
        /// <param name="key">The signing key.</param>
        /// <param name="purpose">One of docs/reference/signatures.md, such as tile-url.</param>
        /// <exception cref="ArgumentException">An image's text does not begin with a slash.</exception>
        public static string SignMessage(string text, string key, string purpose = "image")
        {
            if (string.IsNullOrEmpty(key))
            {
                throw new ArgumentException("The signing key is empty", nameof(key));
            }
            if (purpose == "image" && !text.StartsWith("/", StringComparison.Ordinal))
            {
                throw new ArgumentException("The text that is signed for an image begins with a slash", nameof(text));
            }
            var domain = purpose == "image" ? "" : purpose + ":";
            var used = Encoding.UTF8.GetBytes(key);
            return EncodeBase64(Digest(NotDerived.Contains(purpose) ? used : Digest(used, "key:" + domain), domain + text));
        }

        private static byte[] Digest(byte[] key, string text)
        {
            using (var hmac = new HMACSHA256(key))
            {
                return hmac.ComputeHash(Encoding.UTF8.GetBytes(text));
            }
        }

        private static string EncodeBase64(byte[] digest)
        {
            return Convert.ToBase64String(digest).TrimEnd('=').Replace('+', '-').Replace('/', '_');
        }

        private static void Check(string path)
        {
            var segments = path.Split('/');
            if (segments.Length < 2 || segments[0] != "" || segments.Skip(1).Any(Refused.Contains))
            {
                throw new ArgumentException("No image can have this path: " + path, nameof(path));
            }
        }

        private string SignText(string target, DateTimeOffset? expires)
        {
            var text = expires == null
                ? target
                : target + Joint(target) + "exp=" + expires.Value.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
            return text + Joint(text) + "s=" + EncodeBase64(Digest(_key, text));
        }

        private static string Path(string image)
        {
            return "/" + string.Join("/", image.Split('/').Select(Encode));
        }

        private static string Query(IEnumerable<KeyValuePair<string, object>> options)
        {
            return string.Join("&", options
                .OrderBy(option => option.Key, StringComparer.Ordinal)
                .Select(option => Encode(option.Key) + "=" + Spell(option.Value)));
        }

        /// <summary>
        /// The path of an extension has the key in this encoding, since an HTTP API decodes percent-escapes.
        /// </summary>
        private static string WithoutEscapes(string path)
        {
            var escaped = path.Replace(".-", ".%2D").Replace("~", "%7E");
            return Regex.Replace(escaped, "%([89AB].)", "$1").Replace("%", ".-");
        }

        private static string Joint(string text)
        {
            return text.IndexOf('?') < 0 ? "?" : "&";
        }

        private static string Spell(object value)
        {
            var written = value is bool flag ? (flag ? 1 : 0) : value;
            var text = Convert.ToString(written, CultureInfo.InvariantCulture);
            return Encode(text).Replace("%2C", ",").Replace("%3A", ":").Replace("%3B", ";").Replace("%2F", "/");
        }

        private static string Encode(string text)
        {
            var encoded = new StringBuilder();
            foreach (var each in Encoding.UTF8.GetBytes(text))
            {
                var character = (char)each;
                if (Unreserved.IndexOf(character) >= 0)
                {
                    encoded.Append(character);
                }
                else
                {
                    encoded.Append('%').Append(each.ToString("X2", CultureInfo.InvariantCulture));
                }
            }
            return encoded.ToString();
        }
    }
}
